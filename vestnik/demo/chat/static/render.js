// From a message to DOM nodes. Whatever a bot says becomes text nodes and checked links, never markup.

const TAGS = {
  bold: "b", italic: "i", underline: "u", strikethrough: "s", code: "code", pre: "pre",
  blockquote: "blockquote", expandable_blockquote: "blockquote",
};

const BLOCKS = new Set(["BLOCKQUOTE", "PRE"]);

// Offsets of entities are UTF-16 units, which is what JavaScript strings are made of.
export function renderText(text, entities, { language, onCommand }) {
  const sorted = [...entities].sort((a, b) => a.offset - b.offset || b.length - a.length);
  const fragment = document.createDocumentFragment();
  fill(fragment, text, 0, text.length, sorted, { language, onCommand });
  return fragment;
}

function fill(parent, text, from, to, entities, context) {
  let at = from;
  let rest = entities;
  while (rest.length) {
    const [entity, ...others] = rest;
    const begin = Math.max(entity.offset, at);
    const end = Math.min(entity.offset + entity.length, to);
    if (end <= begin) {
      rest = others;
      continue;
    }
    parent.append(text.slice(at, begin));
    const inner = others.filter((other) => other.offset < end);
    const node = nodeFor(entity, text.slice(begin, end), context);
    fill(node, text, begin, end, inner, context);
    parent.append(node);
    // A block ends its own line: the newline after it would show as an empty one.
    at = BLOCKS.has(node.tagName) && text[end] === "\n" ? end + 1 : end;
    rest = others.filter((other) => other.offset + other.length > end);
  }
  parent.append(text.slice(at, to));
}

function nodeFor(entity, text, { language, onCommand }) {
  switch (entity.type) {
    case "text_link": return linkTo(entity.url);
    case "url": return linkTo(text.includes("://") ? text : `http://${text}`);
    case "bot_command": return commandButton(text, onCommand);
    case "spoiler": return spoiler();
    case "date_time": return timeNode(entity, language);
    case "mention": case "hashtag": case "cashtag": return element("span", "tag");
    default: return element(TAGS[entity.type] || "span", entity.type);
  }
}

export function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function isWebAddress(address) {
  try {
    return ["http:", "https:"].includes(new URL(address).protocol);
  } catch {
    return false;
  }
}

function linkTo(address) {
  const link = element("a");
  if (isWebAddress(address)) {
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.title = address;
  }
  return link;
}

function commandButton(text, onCommand) {
  const button = element("button", "command");
  button.type = "button";
  button.addEventListener("click", () => onCommand(text));
  return button;
}

function spoiler() {
  const node = element("span", "spoiler");
  node.tabIndex = 0;
  const reveal = () => node.classList.add("open");
  node.addEventListener("click", reveal);
  node.addEventListener("keydown", (event) => event.key === "Enter" && reveal());
  return node;
}

function timeNode(entity, language) {
  const when = new Date(entity.unix_time * 1000);
  const node = element("time", "tag");
  node.dateTime = when.toISOString();
  node.title = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "short" }).format(when);
  return node;
}

export function renderMessage(message, context) {
  const item = element("li", message.own ? "message own" : "message");
  item.dataset.id = message.id;
  item.dataset.day = new Date(message.date * 1000).toDateString();
  const bubble = element("div", "bubble");
  if (message.reply) bubble.append(quoted(message.reply));
  if (message.media) bubble.append(picture(message, context.words));
  if (message.text) {
    const body = element("div", "text");
    body.dir = "auto";
    body.append(renderText(message.text, message.entities, context));
    bubble.append(body);
  }
  bubble.append(stamp(message, context));
  item.append(bubble);
  if (message.rows.length) item.append(keyboard(message, context));
  return item;
}

function quoted(reply) {
  const node = element("div", "reply", reply.text);
  node.dir = "auto";
  return node;
}

// Foreign pictures are not fetched: the page talks to its own server only.
function picture(message, words) {
  const frame = element("div", "picture");
  const label = message.media === "photo" ? words.picture : words.document;
  frame.append(element("span", "picture-kind", label), element("span", "picture-name", message.source));
  return frame;
}

function stamp(message, { words, language }) {
  const node = element("div", "stamp");
  if (message.edited) node.append(element("span", "", words.edited));
  const when = new Date(message.date * 1000);
  const time = element("time", "", new Intl.DateTimeFormat(language, { timeStyle: "short" }).format(when));
  time.dateTime = when.toISOString();
  node.append(time);
  return node;
}

function keyboard(message, { onPress }) {
  const board = element("div", "keyboard");
  for (const row of message.rows) {
    const line = element("div", "row");
    for (const button of row) line.append(keyboardButton(button, message, onPress));
    board.append(line);
  }
  return board;
}

function keyboardButton(button, message, onPress) {
  if (button.url && isWebAddress(button.url)) {
    const link = linkTo(button.url);
    link.className = "key address";
    link.append(label(button.text));
    return link;
  }
  const node = element("button", "key");
  node.type = "button";
  node.append(label(button.text));
  node.disabled = button.callback_data === undefined;
  node.addEventListener("click", () => onPress(message.id, button.callback_data, node));
  return node;
}

function label(text) {
  const node = element("span", "", text);
  node.dir = "auto";
  return node;
}

export function dayLine(day, { words, language }) {
  const date = new Date(day);
  const isToday = date.toDateString() === new Date().toDateString();
  const text = isToday ? words.today : new Intl.DateTimeFormat(language, { day: "numeric", month: "long" }).format(date);
  const item = element("li", "day");
  item.append(element("span", "", text));
  return item;
}
