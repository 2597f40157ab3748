/**
 * Chats as files: Paddock's own JSON, Markdown to read, the message arrays of OpenAI's interface, and what
 * ChatGPT exports.
 *
 * What comes from outside is rebuilt field by field; nothing of a foreign record is taken as it is.
 *
 * Knows: these forms. Knows nothing of: storage, the document.
 */
import { isRunning } from "./chat.js";
import { fromMapping } from "./mapping.js";
import { contentOf } from "./request.js";
import { path } from "./tree.js";

/** The version of the JSON form. */
const FORM = 1;
const ROLES = ["system", "user", "assistant"];
const TEXTS = ["text", "input_text", "output_text"];
const ENDED = ["finished", "stopped", "interrupted", "failed"];

/** The file holds no chat this page understands. */
export class NotAnArchive extends Error {}

/** Return the file that `readArchive` reads back. */
export const toJson = (chats, at) => `${JSON.stringify({ paddock: FORM, exported: new Date(at).toISOString(), chats }, null, 1)}\n`;

/** Return the path on show as a document to read. */
export function toMarkdown(chat, words) {
  const parts = [`# ${chat.title}`];
  if (chat.settings.system.trim() !== "") parts.push(`*${words.systemPrompt}:* ${chat.settings.system.trim()}`);
  for (const message of path(chat)) {
    const name = message.role === "user" ? words.you : (message.model ?? words.assistant);
    const mark = message.state !== "finished" ? `\n\n*${words.incomplete}*` : "";
    parts.push(`## ${name}\n\n${contentOf(message)}${mark}`);
  }
  return `${parts.join("\n\n")}\n`;
}

/** Return a file name made of a title: letters and digits of any script. */
export function fileName(title, ending) {
  const stem = title.normalize("NFC").replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-+|-+$/g, "").slice(0, 60);
  return `${stem || "chat"}.${ending}`;
}

/**
 * Return the chats in a file's text, newest data first as it stands there.
 *
 * Shape:  ours, {messages: [{role, content}]}, ChatGPT's {mapping}, a list of those, or a list of messages.
 * Raises: NotAnArchive.
 */
export function readArchive(text, { newId, now }) {
  let data;
  try {
    data = JSON.parse(text);
  } catch {
    throw new NotAnArchive();
  }
  const tools = { newId, now };
  const chats = list(data).map((one) => rebuild(fromMapping(one), tools)).filter((chat) => chat !== null && chat.messages.length > 0);
  if (chats.length === 0) throw new NotAnArchive();
  return chats;
}

function list(data) {
  if (Array.isArray(data?.chats)) return data.chats;
  if (!Array.isArray(data)) return [data];
  return data.some((one) => typeof one?.role === "string") ? [{ messages: data }] : data;
}

function rebuild(data, { newId, now }) {
  if (!Array.isArray(data?.messages)) return null;
  const isOurs = data.messages.some((message) => typeof message?.id === "string" && "parent" in message);
  const chat = {
    id: isOurs && isName(data.id) ? data.id : newId(),
    title: string(data.title).slice(0, 200),
    isRenamed: string(data.title) !== "",
    isPinned: data.isPinned === true,
    updated: finite(data.updated) ?? now(),
    settings: {
      system: string(data.settings?.system),
      temperature: finite(data.settings?.temperature),
      top_p: finite(data.settings?.top_p),
      max_tokens: finite(data.settings?.max_tokens),
    },
    messages: [],
    dropped: [],
    leaf: null,
  };
  for (const given of data.messages) {
    const role = given?.role === "developer" ? "system" : given?.role;
    if (!ROLES.includes(role)) continue;
    const said = isOurs ? string(given.text) : contentText(given.content);
    if (role === "system") {
      chat.settings.system = [chat.settings.system, said].filter(Boolean).join("\n\n");
      continue;
    }
    const id = isOurs && isName(given.id) ? given.id : newId();
    const parent = isOurs ? (isName(given.parent) ? given.parent : null) : chat.leaf;
    chat.messages.push({ ...messageOf(given, role, said, now), id, parent });
    chat.leaf = id;
  }
  if (isOurs && chat.messages.some((message) => message.id === data.leaf)) chat.leaf = data.leaf;
  return chat;
}

function messageOf(given, role, text, now) {
  const shared = { role, text, at: finite(given.at) ?? now(), state: endOf(given) };
  if (role === "user") {
    const files = (Array.isArray(given.files) ? given.files : []).filter((file) => typeof file?.text === "string");
    return { ...shared, files: files.map((file) => ({ name: string(file.name).slice(0, 255), text: file.text, tokens: finite(file.tokens) })) };
  }
  const usage = finite(given.usage?.total_tokens) === null ? null : numbers(given.usage);
  return {
    ...shared,
    model: string(given.model) || null,
    stream: null,
    cursor: 0,
    progress: null,
    finish: string(given.finish) || null,
    usage,
    timings: given.timings ? numbers(given.timings) : null,
    problem: null,
  };
}

/** An answer that was being written when it was exported is not complete, and nobody writes it any more. */
const endOf = (given) => (isRunning(given) ? "interrupted" : ENDED.includes(given.state) ? given.state : "finished");

/** OpenAI's content: a string, or parts of which the text ones count, in either of its interfaces. */
function contentText(content) {
  if (!Array.isArray(content)) return string(content);
  return content.filter((part) => TEXTS.includes(part?.type)).map((part) => string(part.text)).join("");
}

const string = (value) => (typeof value === "string" ? value : "");
const finite = (value) => (Number.isFinite(value) ? value : null);
const isName = (value) => typeof value === "string" && /^[\w.-]{1,64}$/.test(value);
const numbers = (data) => Object.fromEntries(Object.entries(data).filter(([, value]) => Number.isFinite(value)));
