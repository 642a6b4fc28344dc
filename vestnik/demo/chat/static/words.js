// The page's own labels. The bot's words come from the bot.

export const LANGUAGES = {
  en: "English", ru: "Русский", de: "Deutsch", fr: "Français",
  es: "Español", sr: "Српски", zh: "中文", ar: "العربية",
};

const WORDS = {
  en: { bot: "bot", offline: "connecting…", blocked: "blocked", start: "Start", message: "Message", menu: "Menu",
        send: "Send", block: "Block", unblock: "Unblock", about: "What can this bot do?", edited: "edited",
        down: "New messages", picture: "Picture", document: "File", language: "Language of the client",
        theme: "Light or dark", today: "Today", answered: "Pressed" },
  ru: { bot: "бот", offline: "соединение…", blocked: "заблокирован", start: "Старт", message: "Сообщение", menu: "Меню",
        send: "Отправить", block: "Заблокировать", unblock: "Разблокировать", about: "Что может делать этот бот?", edited: "изменено",
        down: "Новые сообщения", picture: "Изображение", document: "Файл", language: "Язык клиента",
        theme: "Светлая или тёмная тема", today: "Сегодня", answered: "Нажато" },
  de: { bot: "Bot", offline: "Verbindung wird hergestellt…", blocked: "blockiert", start: "Starten", message: "Nachricht", menu: "Menü",
        send: "Senden", block: "Blockieren", unblock: "Freigeben", about: "Was kann dieser Bot?", edited: "bearbeitet",
        down: "Neue Nachrichten", picture: "Bild", document: "Datei", language: "Sprache des Clients",
        theme: "Hell oder dunkel", today: "Heute", answered: "Gedrückt" },
  fr: { bot: "bot", offline: "connexion…", blocked: "bloqué", start: "Démarrer", message: "Message", menu: "Menu",
        send: "Envoyer", block: "Bloquer", unblock: "Débloquer", about: "Que peut faire ce bot ?", edited: "modifié",
        down: "Nouveaux messages", picture: "Image", document: "Fichier", language: "Langue du client",
        theme: "Clair ou sombre", today: "Aujourd’hui", answered: "Appuyé" },
  es: { bot: "bot", offline: "conectando…", blocked: "bloqueado", start: "Iniciar", message: "Mensaje", menu: "Menú",
        send: "Enviar", block: "Bloquear", unblock: "Desbloquear", about: "¿Qué puede hacer este bot?", edited: "editado",
        down: "Mensajes nuevos", picture: "Imagen", document: "Archivo", language: "Idioma del cliente",
        theme: "Claro u oscuro", today: "Hoy", answered: "Pulsado" },
  sr: { bot: "бот", offline: "повезивање…", blocked: "блокиран", start: "Почни", message: "Порука", menu: "Мени",
        send: "Пошаљи", block: "Блокирај", unblock: "Одблокирај", about: "Шта овај бот може?", edited: "измењено",
        down: "Нове поруке", picture: "Слика", document: "Датотека", language: "Језик клијента",
        theme: "Светла или тамна тема", today: "Данас", answered: "Притиснуто" },
  zh: { bot: "机器人", offline: "正在连接…", blocked: "已屏蔽", start: "开始", message: "消息", menu: "菜单",
        send: "发送", block: "屏蔽", unblock: "取消屏蔽", about: "这个机器人能做什么？", edited: "已编辑",
        down: "新消息", picture: "图片", document: "文件", language: "客户端语言",
        theme: "浅色或深色", today: "今天", answered: "已按下" },
  ar: { bot: "بوت", offline: "جارٍ الاتصال…", blocked: "محظور", start: "ابدأ", message: "رسالة", menu: "القائمة",
        send: "إرسال", block: "حظر", unblock: "إلغاء الحظر", about: "ماذا يستطيع هذا البوت أن يفعل؟", edited: "معدّلة",
        down: "رسائل جديدة", picture: "صورة", document: "ملف", language: "لغة التطبيق",
        theme: "فاتح أو داكن", today: "اليوم", answered: "تم الضغط" },
};

export function wordsOf(language) {
  return WORDS[language] || WORDS.en;
}

export function chooseLanguage(wanted) {
  return wanted.map((code) => code.slice(0, 2).toLowerCase()).find((code) => code in LANGUAGES) || "en";
}
