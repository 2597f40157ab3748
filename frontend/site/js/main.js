/**
 * Wiring: the only file that knows Alpine, the parser, the sanitizer and the browser's globals.
 */
import Alpine from "../vendor/alpine.js";
import DOMPurify from "../vendor/dompurify.js";
import { Marked } from "../vendor/marked.js";

import { announcer } from "./announcer.js";
import { answers } from "./answers.js";
import { attach } from "./attach.js";
import { attendant } from "./attend.js";
import { bubble } from "./bubble.js";
import { chats } from "./chats.js";
import { clipboard } from "./clipboard.js";
import { counts } from "./count.js";
import { memoryDatabase, openDatabase } from "./database.js";
import { days } from "./day.js";
import { download } from "./download.js";
import { drawer, NARROW } from "./drawer.js";
import { files } from "./files.js";
import { follow } from "./follow.js";
import { nextFrame } from "./frame.js";
import { gateway } from "./gateway.js";
import { grow } from "./grow.js";
import { history } from "./history.js";
import { identities } from "./identity.js";
import { keyboard } from "./keyboard.js";
import { keyDialog, keyring } from "./keyring.js";
import { latex, MATH_ATTRIBUTES, MATH_ELEMENTS, typesetter } from "./latex.js";
import { live } from "./live.js";
import { look } from "./look.js";
import { ATTRIBUTES, directive, ELEMENTS, markdown } from "./markdown.js";
import { exporter, more } from "./more.js";
import { painter } from "./paint.js";
import { presets } from "./presets.js";
import { pulse } from "./pulse.js";
import { settings } from "./settings.js";
import { notices, shelf } from "./shelf.js";
import { shortcuts } from "./shortcuts.js";
import { status } from "./status.js";
import { memoryStorage } from "./storage.js";
import { tabs } from "./tabs.js";
import { thread } from "./thread.js";
import { keysOf, tongue, translate } from "./tongue.js";
import { english, vocabulary } from "./words.js";

/** How often an answer that another tab writes is looked after, should that tab be gone. */
const LOOK_SECONDS = 3;

const now = () => Date.now();
const later = { setTimeout: setTimeout.bind(window), clearTimeout: clearTimeout.bind(window) };
const newId = identities({ crypto });
const copy = clipboard({ navigator, document });

/** A browser may refuse its storage (private windows, blocked cookies): then nothing outlives the page. */
function openStorage(name) {
  try {
    window[name].getItem("paddock.open");
    return window[name];
  } catch {
    return memoryStorage();
  }
}
const storage = openStorage("localStorage");
const [database, words] = await Promise.all([openDatabase({ indexedDB }).catch(memoryDatabase), speak()]);
const store = history({ database, storage, raw: Alpine.raw });

/** Learn the language's words, and write the fixed labels in it. */
async function speak() {
  const { language } = tongue({ storage, wanted: navigator.languages });
  document.documentElement.lang = language;
  const none = { labels: {}, table: null };
  const { labels, table } = language === "en" ? none : await import(`./words-${language}.js`).catch(() => none);
  translate(document.documentElement, { ...labels, ...keysOf(navigator.platform) });
  return table === null ? english : vocabulary(table, language);
}

const isTouch = () => matchMedia("(hover: none) and (pointer: coarse)").matches;

const session = openStorage("sessionStorage");
const keys = Alpine.reactive(keyring({ device: storage, session, newId }));

/** Every request goes through here: one that wants a key has it asked for. */
async function askGateway(...request) {
  const response = await fetch(...request);
  if (response.status === 401) keys.ask();
  return response;
}
const line = { fetch: askGateway, headers: () => keys.headers() };
const calls = gateway({ ...line, now, ...later });

// Shared, reactive state. Components read it; only its own moves change it.
const facts = Alpine.reactive(live({ now }));
const others = tabs({
  BroadcastChannel: window.BroadcastChannel,
  isMine: (id) => desk.running[id] !== undefined,
  hear: (message) => hear(message),
  ...later,
});
const desk = Alpine.reactive(chats({ store, newId, now, tell: others.tell, reactive: Alpine.reactive }));
const panels = Alpine.reactive({ isShelfOpen: false, isSettingsOpen: false, isMoreOpen: false, query: "", days: {} });
const voice = Alpine.reactive({ said: "" });
const attached = Alpine.reactive(attach({ chats: desk, live: facts, ...counts(line), newId, words, ...later }));

const speaker = announcer({ say: (text) => (voice.said = text) });
const writing = answers({
  chats: desk,
  ...calls,
  newId,
  now,
  frame: nextFrame(window),
  ...later,
  modelId: () => facts.model?.id ?? null,
  listen: {
    started: () => {
      speaker.start();
      voice.said = words.answering;
    },
    grown: (message) => speaker.push(message.text),
    ended: (message) => speaker.finish(message.text),
  },
});

const { attend, hear } = attendant({ chats: desk, answers: writing, ask: others.ask });

/** Ask which model is served until somebody knows. */
async function learnModel() {
  try {
    facts.applyModel(await calls.fetchModel());
  } catch {
    // The banner says that the gateway is away; the next change of phase asks again.
  }
}

let modelInNews = null;
const news = pulse({
  EventSource,
  fetch: fetch.bind(window),
  document,
  ...later,
  onStats: (stats) => {
    const before = facts.isReached ? facts.phase : null;
    facts.applyStats(stats);
    if (stats.phase !== before || stats.model !== modelInNews) learnModel();
    modelInNews = stats.model;
  },
  onLost: () => facts.lose(),
});

const watchScroll = ({ scroller, messages }, isWanted, onChange) =>
  follow({ element: scroller, content: messages, ResizeObserver, isWanted, onChange });

const strict = { ALLOW_DATA_ATTR: false, ALLOW_ARIA_ATTR: false, RETURN_DOM_FRAGMENT: true };
const purifier = { ...strict, ALLOWED_TAGS: ELEMENTS, ALLOWED_ATTR: ATTRIBUTES };
const mathPurifier = { ...strict, ALLOWED_TAGS: MATH_ELEMENTS, ALLOWED_ATTR: MATH_ATTRIBUTES };

/** The highlighter and its languages, and the formula library: fetched when a text first needs them. */
async function loadLanguage(language) {
  const [{ default: core }, { default: grammar }] = await Promise.all([
    import("../vendor/highlight/core.js"),
    import(`../vendor/highlight/${language}.js`),
  ]);
  if (!core.getLanguage(language)) core.registerLanguage(language, grammar);
  return core;
}
const loadFormulas = async () => (await import("../vendor/katex.js")).default;

const parser = new Marked({ gfm: true }, { extensions: latex });
const render = markdown({
  lex: (text) => parser.lexer(text),
  sanitize: (node) => DOMPurify.sanitize(node, purifier),
  document,
  copy,
  words,
  paint: painter({ load: loadLanguage, document }),
  typeset: typesetter({ load: loadFormulas, sanitize: (node) => DOMPurify.sanitize(node, mathPurifier), document }),
  ...later,
});

const focus = (selector) => document.querySelector(selector)?.focus();
const focusBox = () => focus("#draft");
const quick = Alpine.reactive(
  shortcuts({
    storage,
    moves: {
      list: () => (panels.isMoreOpen = true),
      write: focusBox,
      newChat: () => {
        desk.openNew();
        focusBox();
      },
      search: () => {
        panels.isShelfOpen = true;
        setTimeout(() => focus("#search"), 50);
      },
    },
  }),
);
window.addEventListener("keydown", (event) => quick.press(event));

const saveFile = download({ document, URL, Blob, ...later });
const parts = { isNarrow: () => matchMedia(NARROW).matches, chats: desk, answers: writing, live: facts, panels, keys, attached, shortcuts: quick, newId, now, words, copy, isTouch, watchScroll, focusBox, saveFile, exportAll: exporter({ chats: desk, saveFile, now, words }), ...later };
Alpine.directive("markdown", directive({ render }));
Alpine.directive("grow", grow({ isNative: CSS.supports("field-sizing", "content") }));
Alpine.data("thread", thread(parts));
Alpine.data("bubble", bubble(parts));
Alpine.data("files", files(parts));
Alpine.data("shelf", shelf(parts));
Alpine.data("notices", notices(parts));
Alpine.data("status", status(parts));
Alpine.data("settings", settings({ ...parts, presets: Alpine.reactive(presets({ storage, newId })) }));
Alpine.data("more", more({ ...parts, tongue: tongue({ storage, wanted: navigator.languages, reload: () => location.reload() }) }));
Alpine.data("keyDialog", keyDialog({ ...parts, onKey: learnModel }));
Alpine.data("look", look({ root: document.documentElement, storage, words }));
Alpine.data("voice", () => ({
  get said() {
    return voice.said;
  },
}));

await desk.restore();
for (const chat of desk.list) if (chat.isUnfinished) attend(chat.id);
setInterval(() => Object.keys(desk.elsewhere).forEach(attend), LOOK_SECONDS * 1000);
window.addEventListener("pagehide", () => desk.leave());
setInterval(() => facts.tick() && calls.wake(), 1000);
for (const name of ["online", "pageshow"]) window.addEventListener(name, calls.wake);
// A page that goes away is hidden first: it must not ask once more.
for (const name of ["resume", "visibilitychange"]) document.addEventListener(name, () => document.hidden || calls.wake());
Alpine.effect(() => {
  document.title = desk.current.title === "" ? "Paddock" : `${desk.current.title} · Paddock`;
});
Alpine.effect(() => (panels.days = days(desk.list, now(), words)));
const narrow = matchMedia(NARROW);
// Where there is room again, the list stands beside the chat.
narrow.addEventListener("change", () => (panels.isShelfOpen = false));
const followDrawer = drawer({ narrow, focus, hasFocus: (selector) => document.activeElement?.closest(selector) !== null, ...later });
Alpine.effect(() => followDrawer(panels.isShelfOpen));
keyboard({ visualViewport: window.visualViewport, window, root: document.documentElement });
news.start();
Alpine.start();
session.removeItem("paddock.starts"); // boot.js counts the starts that failed.
