import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryDatabase } from "../../frontend/site/js/database.js";
import { keyring } from "../../frontend/site/js/keyring.js";
import { latex, readMath } from "../../frontend/site/js/latex.js";
import { languageOf } from "../../frontend/site/js/paint.js";
import { shortcuts } from "../../frontend/site/js/shortcuts.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";
import { tabs } from "../../frontend/site/js/tabs.js";
import { tongue } from "../../frontend/site/js/tongue.js";
import { Marked } from "../../frontend/site/vendor/marked.js";
import { fakeClock, settle, stage } from "./stage.mjs";

const file = (name, content) => ({ name, size: content.length, arrayBuffer: async () => new TextEncoder().encode(content).buffer });

const counts = (text, chat) => ({ countText: async () => text, countChat: async () => chat });

test("a file is read, counted as it will be sent, and handed over", async () => {
  const counted = [];
  const { attached, chats } = stage({
    countText: async (text) => counted.push(text) && 5,
    countChat: async ({ messages }) => counted.push(messages) && 19,
  });
  chats.current.settings.system = "Be brief.";
  chats.draft = "Why?";
  await attached.take([file("a.py", "x = 1\n")]);
  const fenced = "File a.py:\n```\nx = 1\n```";
  const asked = [{ role: "system", content: "Be brief." }, { role: "user", content: `Why?\n\n${fenced}` }];
  assert.deepEqual([counted, attached.files[0].tokens, attached.total], [[fenced, asked], 5, 19]);
  assert.deepEqual(attached.hand(), [{ name: "a.py", text: "x = 1\n", tokens: 5 }]);
  assert.deepEqual([attached.files, attached.total], [[], null]);
});

test("a file over the context is refused with the numbers", async () => {
  const { attached, live } = stage(counts(1500, 2210));
  live.applyModel({ id: "llama", context_window: 2048 });
  await attached.take([file("a.txt", "words")]);
  const expected = "a.txt has 1,500 tokens, the chat already 710; the context holds 2,048.";
  assert.deepEqual([attached.files, attached.refusal], [[], expected]);
});

test("a question that does not fit with its files is not sent, and says so", async () => {
  const sizes = [100, 5000];
  const { attached, live } = stage({ countText: async () => 5, countChat: async () => sizes.shift() ?? 5000 });
  live.applyModel({ id: "llama", context_window: 2048 });
  await attached.take([file("a.txt", "words")]);
  assert.deepEqual([await attached.fits(), attached.refusal], [false, "This question has 5,000 tokens; the context holds 2,048."]);
});

test("the whole is counted anew when one stops typing", async () => {
  const sizes = [30, 40];
  const { attached, clock } = stage({ countText: async () => 5, countChat: async () => sizes.shift() });
  await attached.take([file("a.txt", "words")]);
  attached.typed();
  attached.typed();
  assert.equal(attached.total, 30);
  clock.pass(1);
  await settle();
  assert.deepEqual([attached.total, sizes], [40, []]);
});

test("a reload finds the files that were not sent", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const before = stage(shared);
  await before.attached.take([file("a.txt", "words")]);
  await before.chats.type("Read it");
  const after = stage(shared);
  await after.chats.restore();
  assert.deepEqual([after.chats.draft, after.attached.files.map((one) => [one.name, one.text])], ["Read it", [["a.txt", "words"]]]);
});

test("a file whose count was under way is counted when its chat is opened again", async () => {
  const { attached, chats } = stage({ countText: async () => 7 });
  chats.files = [{ id: "f", name: "a.txt", text: "words", tokens: null }];
  await attached.resume();
  assert.deepEqual([attached.files[0].tokens, attached.isCounting], [7, false]);
});

test("what is no text, or cannot be counted, is not taken", async () => {
  const { attached } = stage({ countText: async () => { throw new Error("The gateway cannot be reached."); } });
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
