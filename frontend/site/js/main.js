/**
 * Wiring: the only file that knows Alpine, the parser, the sanitizer and the browser's globals.
 */
import Alpine from "../vendor/alpine.js";
import DOMPurify from "../vendor/dompurify.js";
import { Marked } from "../vendor/marked.js";

import { announcer } from "./announcer.js";
import { answers } from "./answers.js";
import { bubble } from "./bubble.js";
import { chats } from "./chats.js";
import { clipboard } from "./clipboard.js";
import { follow } from "./follow.js";
import { gateway } from "./gateway.js";
import { grow } from "./grow.js";
import { history, memoryStorage } from "./history.js";
import { identities } from "./identity.js";
import { live } from "./live.js";
import { look } from "./look.js";
import { ATTRIBUTES, directive, ELEMENTS, markdown } from "./markdown.js";
import { pulse } from "./pulse.js";
import { settings } from "./settings.js";
import { notices, shelf } from "./shelf.js";
import { status } from "./status.js";
import { thread } from "./thread.js";
import { english as words } from "./words.js";

const now = () => Date.now();
const later = { setTimeout: setTimeout.bind(window), clearTimeout: clearTimeout.bind(window) };
const newId = identities({ crypto });
const copy = clipboard({ navigator, document });
const { streamChat, fetchModel } = gateway({ fetch: fetch.bind(window), ...later });

/** A browser may refuse its storage (private windows, blocked cookies): then nothing outlives the page. */
function openStorage() {
  try {
    localStorage.getItem("paddock.open");
    return localStorage;
  } catch {
    return memoryStorage();
  }
}
const storage = openStorage();
const store = history({ storage });

/** Frames stop in a hidden tab; an answer must go on being written down there. */
const frame = (callback) => (document.hidden ? setTimeout(callback, 250) : requestAnimationFrame(callback));

const isTouch = () => matchMedia("(hover: none) and (pointer: coarse)").matches;

// Shared, reactive state. Components read it; only its own moves change it.
const facts = Alpine.reactive(live({ now }));
const desk = Alpine.reactive(chats({ store, newId, now }));
const panels = Alpine.reactive({ isShelfOpen: false, isSettingsOpen: false });
const voice = Alpine.reactive({ said: "" });

const speaker = announcer({ say: (text) => (voice.said = text) });
const writing = answers({
  chats: desk,
  streamChat,
  newId,
  now,
  frame,
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

/** Ask which model is served until somebody knows. */
async function learnModel() {
  try {
    facts.applyModel(await fetchModel());
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

const purifier = {
  ALLOWED_TAGS: ELEMENTS,
  ALLOWED_ATTR: ATTRIBUTES,
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};
const parser = new Marked({ gfm: true });
const render = markdown({
  lex: (text) => parser.lexer(text),
  sanitize: (node) => DOMPurify.sanitize(node, purifier),
  document,
  copy,
  words,
  ...later,
});

const parts = { chats: desk, answers: writing, live: facts, panels, newId, now, words, copy, isTouch, watchScroll, ...later };
Alpine.directive("markdown", directive({ render }));
Alpine.directive("grow", grow({ isNative: CSS.supports("field-sizing", "content") }));
Alpine.data("thread", thread(parts));
Alpine.data("bubble", bubble(parts));
Alpine.data("shelf", shelf(parts));
Alpine.data("notices", notices(parts));
Alpine.data("status", status(parts));
Alpine.data("settings", settings(parts));
Alpine.data("look", look({ root: document.documentElement, storage, words }));
Alpine.data("voice", () => ({
  get said() {
    return voice.said;
  },
}));

desk.restore();
window.addEventListener("storage", (event) => {
  const id = store.chatOf(event.key);
  if (id !== null) desk.refresh(id);
});
window.addEventListener("pagehide", () => {
  for (const chat of Object.values(desk.running)) desk.save(chat, { isTouched: false });
});
setInterval(() => facts.tick(), 1000);
Alpine.effect(() => {
  document.title = desk.current.title === "" ? "Paddock" : `${desk.current.title} · Paddock`;
});
news.start();
Alpine.start();
