// The chat: what the server tells is drawn, what the person does is sent.

import { dayLine, element, renderMessage } from "./render.js";
import { LANGUAGES, chooseLanguage, wordsOf } from "./words.js";

const $ = (id) => document.getElementById(id);
const scroll = $("scroll");
const list = $("messages");

const state = { key: "", language: "en", blocked: false, started: false, online: false, bot: {}, messages: new Map() };
const waiting = new Map(); // query id -> pressed button

// -- the wire ----------------------------------------------------------------------------------

async function post(action, fields = {}) {
  const response = await fetch(`/chat/api/${action}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ key: state.key, ...fields }),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error || response.statusText);
  return answer;
}

async function enter() {
  const stored = remembered();
  state.key = stored.key || "";
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked, stored.language, ...navigator.languages].filter(Boolean);
  const answer = await post("enter", { language: chooseLanguage(wanted) });
  state.key = answer.key;
  show(answer);
  if (asked && asked in LANGUAGES && asked !== state.language) await changeLanguage(asked);
  listen();
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem("chat") || "{}");
  } catch {
    return {};
  }
}

function listen() {
  const source = new EventSource(`/chat/api/events?key=${encodeURIComponent(state.key)}`);
  const on = (name, handler) => source.addEventListener(name, (event) => handler(JSON.parse(event.data)));
  on("chat", (chat) => { state.online = true; show(chat); });
  on("bot", (bot) => { state.bot = bot; drawFrame(); });
  on("message", add);
  on("edit", replace);
  on("markup", replace);
  on("delete", remove);
  on("answer", showAnswer);
  source.onerror = () => {
    state.online = false;
    drawFrame();
    // A server started anew does not know this key: come in again.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => enter().catch(retry), 1000);
  };
}

function retry() {
  setTimeout(() => enter().catch(retry), 1500);
}

// -- drawing -----------------------------------------------------------------------------------

const context = () => ({
  language: state.language, words: wordsOf(state.language), onPress: press, onCommand: (text) => sendText(text),
});

function show(chat) {
  Object.assign(state, {
    language: chat.language || state.language, blocked: chat.blocked, started: chat.started, bot: chat.bot,
    messages: new Map(chat.messages.map((message) => [message.id, message])),
  });
  localStorage.setItem("chat", JSON.stringify({ key: state.key, language: state.language }));
  drawFrame();
  drawMessages();
}

function drawMessages() {
  list.replaceChildren();
  for (const message of state.messages.values()) append(message);
  toBottom();
}

function append(message) {
  const item = renderMessage(message, context());
  const last = list.lastElementChild;
  if (!last || last.dataset.day !== item.dataset.day) list.append(dayLine(item.dataset.day, context()));
  list.append(item);
  return item;
}

function add(message) {
  const wasLow = isLow();
  state.messages.set(message.id, message);
  if (message.own) state.started = true;
  append(message).classList.add("new");
  drawFrame();
  if (wasLow || message.own) toBottom();
  else $("down").hidden = false;
}

function replace(message) {
  const wasLow = isLow();
  state.messages.set(message.id, message);
  const old = list.querySelector(`li[data-id="${message.id}"]`);
  const item = renderMessage(message, context());
  item.classList.add("changed");
  if (old) old.replaceWith(item);
  if (wasLow) toBottom();
}

function remove(message) {
  state.messages.delete(message.id);
  list.querySelector(`li[data-id="${message.id}"]`)?.remove();
  drawFrame();
}

function drawFrame() {
  const words = wordsOf(state.language);
  document.documentElement.lang = state.language;
  document.documentElement.dir = state.language === "ar" ? "rtl" : "ltr";
  document.title = state.bot.name || "Chat";
  $("name").textContent = state.bot.name || "";
  $("state").textContent = state.blocked ? words.blocked : state.online ? words.bot : words.offline;
  $("language").value = state.language;
  $("language-label").textContent = words.language;
  label("theme", words.theme, "◐");
  label("block", state.blocked ? words.unblock : words.block);
  label("menu", words.menu);
  $("send").setAttribute("aria-label", words.send);
  $("text").placeholder = words.message;
  $("text").setAttribute("aria-label", words.message);
  $("down").textContent = `↓ ${words.down}`;
  drawAbout(words);
  drawFooter(words);
  drawCommands();
}

function label(id, text, sign) {
  $(id).textContent = sign || text;
  $(id).setAttribute("aria-label", text);
  $(id).title = text;
}

function drawAbout(words) {
  $("about").hidden = state.messages.size > 0 || !state.bot.description;
  $("about-title").textContent = words.about;
  $("about-text").textContent = state.bot.description || "";
}

function drawFooter(words) {
  const isFirst = !state.started && state.messages.size === 0;
  $("start").hidden = !(state.blocked || isFirst);
  $("start").textContent = state.blocked ? words.unblock : words.start;
  $("form").hidden = state.blocked;
  $("menu").hidden = !(state.bot.commands || []).length;
}

function drawCommands() {
  $("commands").replaceChildren(...(state.bot.commands || []).map((command) => {
    const item = element("li");
    const button = element("button", "entry");
    button.type = "button";
    const name = element("b", "", `/${command.command}`);
    name.dir = "ltr";
    const description = element("span", "", command.description);
    description.dir = "auto";
    button.append(name, description);
    button.addEventListener("click", () => { openMenu(false); sendText(`/${command.command}`); });
    item.append(button);
    return item;
  }));
}

function isLow() {
  return scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 120;
}

function toBottom() {
  scroll.scrollTop = scroll.scrollHeight;
  $("down").hidden = true;
}

// -- what the person does ----------------------------------------------------------------------

async function sendText(text) {
  if (!text.trim() || state.blocked) return;
  try {
    await post("send", { text });
  } catch (error) {
    toast(error.message);
  }
}

async function press(messageId, data, button) {
  button.classList.add("busy");
  try {
    const { query } = await post("press", { message_id: messageId, data });
    waiting.set(query, button);
    setTimeout(() => button.classList.remove("busy"), 10000);
  } catch (error) {
    button.classList.remove("busy");
    toast(error.message);
  }
}

function showAnswer(answer) {
  waiting.get(answer.query)?.classList.remove("busy");
  waiting.delete(answer.query);
  if (!answer.text) return;
  if (!answer.show_alert) return toast(answer.text);
  $("alert").querySelector("p").textContent = answer.text;
  $("alert").showModal();
}

let toastTimer = 0;
function toast(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { $("toast").hidden = true; }, 3500);
}

async function changeLanguage(language) {
  state.language = language;
  localStorage.setItem("chat", JSON.stringify({ key: state.key, language }));
  state.bot = (await post("language", { language })).bot;
  drawFrame();
  drawMessages();
}

async function setBlocked(blocked) {
  await post(blocked ? "block" : "unblock");
  state.blocked = blocked;
  drawFrame();
}

function openMenu(isOpen) {
  $("commands").hidden = !isOpen;
  $("menu").setAttribute("aria-expanded", String(isOpen));
}

function submit() {
  const text = $("text").value;
  $("text").value = "";
  grow();
  sendText(text);
}

function grow() {
  $("text").style.height = "auto";
  $("text").style.height = `${Math.min($("text").scrollHeight, 160)}px`;
}

function changeTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

function connect() {
  for (const [code, name] of Object.entries(LANGUAGES)) $("language").append(new Option(name, code));
  $("language").addEventListener("change", (event) => changeLanguage(event.target.value));
  $("theme").addEventListener("click", changeTheme);
  $("block").addEventListener("click", () => setBlocked(!state.blocked));
  $("start").addEventListener("click", () => (state.blocked ? setBlocked(false) : sendText("/start")));
  $("down").addEventListener("click", toBottom);
  scroll.addEventListener("scroll", () => { if (isLow()) $("down").hidden = true; });
  $("menu").addEventListener("click", () => openMenu($("commands").hidden));
  document.addEventListener("keydown", (event) => event.key === "Escape" && openMenu(false));
  $("form").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  $("text").addEventListener("input", grow);
  $("text").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
}

connect();
enter().catch(retry);
