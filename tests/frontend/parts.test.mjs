import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryStorage } from "../../frontend/site/js/history.js";
import { keyring } from "../../frontend/site/js/keyring.js";
import { latex, readMath } from "../../frontend/site/js/latex.js";
import { languageOf } from "../../frontend/site/js/paint.js";
import { shortcuts } from "../../frontend/site/js/shortcuts.js";
import { tabs } from "../../frontend/site/js/tabs.js";
import { tongue } from "../../frontend/site/js/tongue.js";
import { Marked } from "../../frontend/site/vendor/marked.js";
import { fakeClock, stage } from "./stage.mjs";

const file = (name, content) => ({ name, size: content.length, arrayBuffer: async () => new TextEncoder().encode(content).buffer });

test("a file is read, counted as it will be sent, and handed over", async () => {
  const counted = [];
  const { attached } = stage({ countTokens: async (text) => counted.push(text) && 5 });
  await attached.take([file("a.py", "x = 1\n")]);
  assert.deepEqual([counted, attached.files[0].tokens], [["File a.py:\n```\nx = 1\n```"], 5]);
  assert.deepEqual(attached.hand(), [{ name: "a.py", text: "x = 1\n", tokens: 5 }]);
  assert.deepEqual(attached.files, []);
});

test("a file over the context is refused with the numbers", async () => {
  const { attached, live, chats } = stage({ countTokens: async () => 1500 });
  live.applyModel({ id: "llama", context_window: 2048 });
  chats.current.messages.push({ id: "a", role: "assistant", text: "x", usage: { total_tokens: 700 } });
  await attached.take([file("a.txt", "words")]);
  const expected = "a.txt has 1,500 tokens, the chat already 700; the context holds 2,048.";
  assert.deepEqual([attached.files, attached.refusal], [[], expected]);
});

test("what is no text, or cannot be counted, is not taken", async () => {
  const { attached } = stage({ countTokens: async () => { throw new Error("The gateway cannot be reached."); } });
  await attached.take([file("a.bin", "a\0b")]);
  assert.equal(attached.refusal, "a.bin is not a text file.");
  await attached.take([file("a.txt", "a")]);
  assert.deepEqual([attached.refusal, attached.files], ["a.txt could not be counted: The gateway cannot be reached.", []]);
});

test("a key stays for the session, or on the device when chosen", () => {
  const [device, session] = [memoryStorage(), memoryStorage()];
  const keys = keyring({ device, session, newId: () => "browser-1" });
  assert.deepEqual(keys.headers(), { "Paddock-Session": "browser-1" });
  keys.ask();
  assert.deepEqual([keys.isAsked, keys.isRefused], [true, false]);
  keys.use(" pk-1 ", false);
  assert.deepEqual([keys.headers().Authorization, session.getItem("paddock.key"), device.getItem("paddock.key")], ["Bearer pk-1", "pk-1", null]);
  keys.ask();
  assert.equal(keys.isRefused, true);
  keys.use("pk-2", true);
  assert.deepEqual([session.getItem("paddock.key"), device.getItem("paddock.key")], [null, "pk-2"]);
  assert.equal(keyring({ device, session: memoryStorage(), newId: () => "other" }).headers()["Paddock-Session"], "browser-1");
  keys.use("", false);
  assert.equal(device.getItem("paddock.key"), null);
});

const formulas = (text) => {
  const found = [];
  const parser = new Marked({ gfm: true }, { extensions: latex });
  parser.walkTokens(parser.lexer(text), (token) => token.type === "math" && found.push(token.raw));
  return found;
};

test("formulas are found, money and code are not", () => {
  const cases = [
    ["So $a^2$ and \\(b\\).", ["$a^2$", "\\(b\\)"]],
    ["$$\nx = y\n= z\n$$", ["$$\nx = y\n= z\n$$"]],
    ["\\[\n- a\n\\]", ["\\[\n- a\n\\]"]],
    ["It costs $5 and $6, or $ 7 $.", []],
    ["`$x$` and\n\n```\n$$y$$\n```", []],
    ["An open $$x", []],
  ];
  for (const [text, expected] of cases) assert.deepEqual(formulas(text), expected, text);
  assert.deepEqual(readMath("$$x$$"), { tex: "x", isDisplay: true });
  assert.deepEqual(readMath("\\(x\\)"), { tex: "x", isDisplay: false });
});

test("a language goes by its usual names", () => {
  assert.deepEqual(["py", "C++", "tsx", "html", "python title=a", "brainfuck", ""].map(languageOf), ["python", "cpp", "typescript", "xml", "python", null, null]);
});

test("keys work outside text and dialogs; single ones can be turned off", () => {
  const done = [];
  const storage = memoryStorage();
  const move = (name) => () => done.push(name);
  const quick = shortcuts({ storage, moves: { list: move("list"), search: move("search"), newChat: move("newChat"), write: move("write") } });
  const press = (key, more = {}) => quick.press({ key, preventDefault: () => {}, target: { closest: () => null }, ...more });
  const within = (name) => ({ target: { closest: (selector) => (selector.includes(name) ? {} : null) } });
  press("?");
  press("k", { ctrlKey: true, ...within("textarea") });
  press("O", { metaKey: true, shiftKey: true });
  press("/");
  press("?", within("textarea"));
  press("k", { ctrlKey: true, ...within("dialog") });
  press("?", { isComposing: true });
  assert.deepEqual(done, ["list", "search", "newChat", "write"]);
  quick.allowSingleKeys(false);
  press("?");
  assert.equal(done.length, 4);
  assert.equal(shortcuts({ storage, moves: {} }).hasSingleKeys, false);
});

test("the language is the browser's first that there is, or the one chosen", () => {
  const storage = memoryStorage();
  const one = (...wanted) => tongue({ storage, wanted, reload: () => {} });
  assert.deepEqual([one("de-AT", "en").language, one("xx", "fr").language, one("xx").language], ["de", "fr", "en"]);
  one("de").choose("es");
  assert.deepEqual([one("de").language, one("de").choice], ["es", "es"]);
  one("de").choose("auto");
  assert.equal(one("de").language, "de");
});

test("tabs hear each other, and who answers a chat says so", async () => {
  const open = new Set();
  class Channel {
    constructor() {
      open.add(this);
    }
    postMessage(data) {
      for (const other of open) if (other !== this) queueMicrotask(() => other.onmessage({ data }));
    }
  }
  const heard = [];
  const clock = fakeClock();
  const tab = (mine, hear) => tabs({ BroadcastChannel: Channel, isMine: (id) => id === mine, hear, setTimeout: clock.setTimeout });
  const here = tab("a", () => {});
  const there = tab("b", (message) => heard.push(message));
  assert.equal(await there.ask("a"), true);
  const nobody = there.ask("c");
  clock.pass(1);
  assert.equal(await nobody, false);
  here.tell({ kind: "removed", id: "a" });
  await Promise.resolve();
  assert.deepEqual(heard, [{ kind: "removed", id: "a" }]);
  assert.equal(await tabs({ BroadcastChannel: undefined }).ask("a"), false);
});
