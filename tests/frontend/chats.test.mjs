import assert from "node:assert/strict";
import { test } from "node:test";

import { notices, shelf } from "../../frontend/site/js/shelf.js";
import { add } from "../../frontend/site/js/tree.js";
import { memoryDatabase } from "../../frontend/site/js/database.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";
import { scope, settle, stage } from "./stage.mjs";

async function ask(parts, text) {
  parts.clock.pass(1);
  add(parts.chats.current, { id: parts.newId(), role: "user", text, state: "finished" });
  await parts.chats.save(parts.chats.current);
  return parts.chats.current.id;
}

const titles = (parts) => parts.chats.list.map((one) => one.title);

test("a chat is called by its first question's first line", async () => {
  const parts = stage();
  await ask(parts, "Why is the sky blue?\nReally?");
  assert.deepEqual(titles(parts), ["Why is the sky blue?"]);
});

test("a long title is cut", async () => {
  const parts = stage();
  await ask(parts, "x".repeat(200));
  assert.equal(titles(parts)[0], `${"x".repeat(59)}…`);
});

test("the chat used last is on top", async () => {
  const parts = stage();
  const one = await ask(parts, "One?");
  parts.chats.openNew();
  await ask(parts, "Two?");
  assert.deepEqual(titles(parts), ["Two?", "One?"]);
  await parts.chats.open(one);
  await ask(parts, "More?");
  assert.deepEqual(titles(parts), ["One?", "Two?"]);
});

test("an empty chat is not left for another empty chat", async () => {
  const parts = stage();
  const { id } = parts.chats.current;
  parts.chats.openNew();
  assert.equal(parts.chats.current.id, id);
  assert.deepEqual(parts.chats.list, []);
});

test("a reload finds the chats, the open one and its draft", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const before = stage(shared);
  await ask(before, "One?");
  const open = before.chats.current.id;
  before.chats.type("half a thought");

  const after = stage(shared);
  await after.chats.restore();
  assert.deepEqual(titles(after), ["One?"]);
  assert.deepEqual([after.chats.current.id, after.chats.draft], [open, "half a thought"]);
});

test("the draft of a chat that was never sent to survives a reload", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  stage(shared).chats.type("first words");
  const after = stage(shared);
  await after.chats.restore();
  assert.equal(after.chats.draft, "first words");
});

test("each chat has its own draft", async () => {
  const parts = stage();
  const one = await ask(parts, "One?");
  parts.chats.type("for one");
  parts.chats.openNew();
  assert.equal(parts.chats.draft, "");
  await parts.chats.open(one);
  assert.equal(parts.chats.draft, "for one");
});

test("a deleted chat comes back as it was", async () => {
  const parts = stage();
  const id = await ask(parts, "One?");
  await parts.chats.remove(id);
  assert.deepEqual([titles(parts), await parts.store.read(id)], [[], null]);
  await parts.chats.undelete();
  assert.deepEqual([titles(parts), parts.chats.current.id], [["One?"], id]);
});

test("a name given by hand stays", async () => {
  const parts = stage();
  const id = await ask(parts, "One?");
  await parts.chats.rename(id, "  Mine ");
  await ask(parts, "Two?");
  await parts.chats.rename(id, "   ");
  assert.deepEqual(titles(parts), ["Mine"]);
});

test("another tab's words arrive, unless this tab is answering that chat", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const here = stage(shared);
  const id = await ask(here, "One?");
  const there = stage(shared);
  await there.chats.restore();
  await ask(there, "Two?");

  here.chats.running[id] = here.chats.current;
  await here.chats.refresh(id);
  assert.equal(here.chats.current.messages.length, 1);
  delete here.chats.running[id];
  await here.chats.refresh(id);
  assert.equal(here.chats.current.messages.length, 2);
});

test("a full storage is said, nothing is thrown at who types, and nothing is lost while the page is open", async () => {
  const database = memoryDatabase();
  let isFull = false;
  const full = (move) => async (...given) => {
    if (isFull) throw Object.assign(new Error("no room"), { name: "QuotaExceededError" });
    return move(...given);
  };
  const shared = { database: { ...database, update: full(database.update), putNote: full(database.putNote) } };
  const parts = stage(shared);
  const shown = scope(notices(parts)());
  const old = await ask(parts, "Before?");
  isFull = true;
  parts.chats.openNew();
  const one = await ask(parts, "One?");
  await parts.chats.type("half a thought");
  assert.deepEqual([shown.isStorageFull, shown.storageText], [true, parts.words.storageFull]);
  await parts.chats.open(old);
  await parts.chats.open(one);
  assert.deepEqual([parts.chats.current.messages[0].text, parts.chats.draft], ["One?", "half a thought"]);
  assert.deepEqual((await parts.chats.all()).map((chat) => chat.title), ["One?", "Before?"]);

  isFull = false;
  await parts.chats.remove(old);
  assert.equal(shown.isStorageFull, false);
  const after = stage(shared);
  await after.chats.restore();
  assert.deepEqual([after.chats.current.messages[0].text, after.chats.draft], ["One?", "half a thought"]);
});

test("what is typed in a new chat waits there while one looks into another", async () => {
  const parts = stage();
  const one = await ask(parts, "One?");
  parts.chats.openNew();
  const fresh = parts.chats.current.id;
  await parts.chats.type("half a thought");
  await parts.chats.open(one);
  assert.equal(parts.chats.draft, "");
  parts.chats.openNew();
  assert.deepEqual([parts.chats.current.id, parts.chats.draft], [fresh, "half a thought"]);
});

test("settings of a chat that was never sent to survive a reload", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const before = stage(shared);
  before.chats.current.settings.system = "Be brief.";
  await before.chats.jot();
  const after = stage(shared);
  await after.chats.restore();
  assert.equal(after.chats.current.settings.system, "Be brief.");
});

test("a page that goes away leaves what it had no time to write", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const before = stage({ ...shared, database: { ...shared.database, putNote: () => new Promise(() => {}) } });
  before.chats.type("half a thought");
  before.chats.leave();
  const after = stage(shared);
  await after.chats.restore();
  assert.deepEqual([after.chats.draft, shared.storage.length], ["half a thought", 0]);
});

function listed(parts) {
  const panels = { isShelfOpen: true, query: "" };
  const makeShelf = shelf({ ...parts, panels, setTimeout: parts.clock.setTimeout, clearTimeout: parts.clock.clearTimeout });
  const list = makeShelf();
  const row = (index) => Object.assign(scope(list), { chat: list.chats[index], $el: { closest: () => ({ querySelector: () => ({ select: () => {} }) }) } });
  return { panels, list, row };
}

test("a row opens its chat and closes the panel", async () => {
  const parts = stage();
  const one = await ask(parts, "One?");
  parts.chats.openNew();
  const { panels, row } = listed(parts);
  row(0).openChat();
  await settle();
  assert.deepEqual([parts.chats.current.id, panels.isShelfOpen, row(0).current], [one, false, "page"]);
});

test("a row is renamed in place, and Escape leaves the name", async () => {
  const parts = stage();
  await ask(parts, "One?");
  const one = listed(parts).row(0);
  one.startRename();
  one.renamedTitle = "Mine";
  one.finishRename();
  await settle();
  assert.deepEqual(titles(parts), ["Mine"]);

  const again = listed(parts).row(0);
  again.startRename();
  again.renamedTitle = "Other";
  again.pressRenameKey({ key: "Escape", preventDefault: () => {} });
  again.finishRename();
  assert.deepEqual(titles(parts), ["Mine"]);
});

test("a deletion can be taken back for a while", async () => {
  const parts = stage();
  await ask(parts, "One?");
  const shown = scope(notices({ ...parts, ...parts.clock })());
  listed(parts).row(0).removeChat();
  await settle();
  shown.init();
  assert.deepEqual([shown.isDeletedShown, shown.deletedText], [true, "Deleted “One?”."]);
  parts.clock.pass(9);
  assert.equal(shown.isDeletedShown, false);
});

test("a page loaded anew can take the last deletion back", async () => {
  const before = stage();
  const id = await ask(before, "One?");
  await before.chats.remove(id);
  const after = stage(before);
  await after.chats.restore();
  const shown = scope(notices({ ...after, ...after.clock })());
  shown.init();
  assert.equal(shown.deletedText, "Deleted “One?”.");
  await after.chats.undelete();
  assert.deepEqual([titles(after), shown.isDeletedShown], [["One?"], false]);
  const last = stage(before);
  await last.chats.restore();
  assert.deepEqual([titles(last), last.chats.deleted], [["One?"], null]);

  await last.chats.remove(id);
  await last.chats.forget();
  const gone = stage(before);
  await gone.chats.restore();
  assert.deepEqual([titles(gone), gone.chats.deleted], [[], null]);
});

test("two tabs that answer in one chat at once keep both answers whole", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const first = stage(shared);
  const id = await ask(first, "One?");
  const second = stage({ ...shared, name: "other" });
  await second.chats.restore();
  const asked = (parts, name) => {
    const { current } = parts.chats;
    const question = add(current, { id: `q ${name}`, role: "user", text: name, state: "finished", at: 1 });
    return parts.answers.start(current, question.id);
  };
  // Each sees the other's answer begin and writes that down with its own.
  const both = [asked(first, "Two?"), asked(second, "Three?")];
  for (const [parts, stream] of [[first, "s1"], [second, "s2"]]) await parts.gateway.push({ kind: "stream", id: stream });
  const say = async (parts, text, cursor) => {
    await parts.gateway.push({ kind: "text", text, cursor });
    parts.paint();
    await parts.chats.save(parts.chats.running[id]);
  };
  await say(first, "a", 1);
  await say(second, "x", 1);
  await say(first, "b", 2);
  await say(second, "y", 2);
  await first.gateway.end();
  await say(second, "z", 3);
  await second.gateway.end();
  await Promise.all(both);
  await settle();
  const kept = await first.store.read(id);
  const answers = kept.messages.filter((one) => one.role === "assistant");
  assert.deepEqual(answers.map((one) => [one.text, one.state]).sort(), [["ab", "finished"], ["xyz", "finished"]]);
});

test("a pinned chat stays on top", async () => {
  const parts = stage();
  const id = await ask(parts, "One?");
  parts.chats.openNew();
  await ask(parts, "Two?");
  await parts.chats.pin(id);
  assert.deepEqual(titles(parts), ["One?", "Two?"]);
  await parts.chats.pin(id);
  assert.deepEqual(titles(parts), ["Two?", "One?"]);
});

test("a search finds words anywhere in a chat, and ends with its text", async () => {
  const parts = stage();
  await ask(parts, "Tell me of grapes");
  parts.chats.openNew();
  await ask(parts, "Something else");
  await ask(parts, "Now the GRAPES and the fox");
  const { list } = listed(parts);
  const found = async (text) => {
    await parts.chats.search(text);
    return list.chats.map((one) => one.title);
  };
  assert.deepEqual(await found("grapes"), ["Something else", "Tell me of grapes"]);
  assert.deepEqual(await found("fox grapes"), ["Something else"]);
  assert.deepEqual([await found("nowhere"), list.isNothingFound], [[], true]);
  assert.equal((await found(" ")).length, 2);
});

test("what two tabs add to one chat is all kept", async () => {
  const shared = { storage: memoryStorage(), database: memoryDatabase() };
  const here = stage(shared);
  const id = await ask(here, "One?");
  const there = stage(shared);
  await there.chats.restore();
  there.chats.current.messages.push({ id: "theirs", parent: null, role: "user", text: "Theirs", state: "finished" });
  await there.chats.save(there.chats.current);
  here.chats.current.messages.push({ id: "ours", parent: null, role: "user", text: "Ours", state: "finished" });
  await here.chats.save(here.chats.current);
  const kept = (await here.store.read(id)).messages.map((message) => message.text).sort();
  assert.deepEqual(kept, ["One?", "Ours", "Theirs"]);
  assert.deepEqual(here.chats.current.messages.length, 3);
});

test("a chat another tab deleted is gone here too", async () => {
  const parts = stage();
  const id = await ask(parts, "One?");
  parts.chats.drop(id);
  assert.deepEqual([titles(parts), parts.chats.current.messages], [[], []]);
});

test("chats from a file are added once", async () => {
  const parts = stage();
  await ask(parts, "One?");
  const copy = JSON.parse(JSON.stringify(parts.chats.current));
  assert.equal(await parts.chats.add([copy, { ...copy, id: "other" }]), 1);
  assert.deepEqual(parts.chats.current.id, "other");
});
