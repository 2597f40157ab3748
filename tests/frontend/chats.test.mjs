import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryStorage } from "../../frontend/site/js/history.js";
import { notices, shelf } from "../../frontend/site/js/shelf.js";
import { add } from "../../frontend/site/js/tree.js";
import { scope, stage } from "./stage.mjs";

function ask(parts, text) {
  parts.clock.pass(1);
  add(parts.chats.current, { id: parts.newId(), role: "user", text, state: "finished" });
  parts.chats.save(parts.chats.current);
  return parts.chats.current.id;
}

const titles = (parts) => parts.chats.list.map((one) => one.title);

test("a chat is called by its first question's first line", () => {
  const parts = stage();
  ask(parts, "Why is the sky blue?\nReally?");
  assert.deepEqual(titles(parts), ["Why is the sky blue?"]);
});

test("a long title is cut", () => {
  const parts = stage();
  ask(parts, "x".repeat(200));
  assert.equal(titles(parts)[0], `${"x".repeat(59)}…`);
});

test("the chat used last is on top", () => {
  const parts = stage();
  const one = ask(parts, "One?");
  parts.chats.openNew();
  ask(parts, "Two?");
  assert.deepEqual(titles(parts), ["Two?", "One?"]);
  parts.chats.open(one);
  ask(parts, "More?");
  assert.deepEqual(titles(parts), ["One?", "Two?"]);
});

test("an empty chat is not left for another empty chat", () => {
  const parts = stage();
  const { id } = parts.chats.current;
  parts.chats.openNew();
  assert.equal(parts.chats.current.id, id);
  assert.deepEqual(parts.chats.list, []);
});

test("a reload finds the chats, the open one and its draft", () => {
  const storage = memoryStorage();
  const before = stage({ storage });
  ask(before, "One?");
  const open = before.chats.current.id;
  before.chats.type("half a thought");

  const after = stage({ storage });
  after.chats.restore();
  assert.deepEqual(titles(after), ["One?"]);
  assert.deepEqual([after.chats.current.id, after.chats.draft], [open, "half a thought"]);
});

test("the draft of a chat that was never sent to survives a reload", () => {
  const storage = memoryStorage();
  stage({ storage }).chats.type("first words");
  const after = stage({ storage });
  after.chats.restore();
  assert.equal(after.chats.draft, "first words");
});

test("each chat has its own draft", () => {
  const parts = stage();
  const one = ask(parts, "One?");
  parts.chats.type("for one");
  parts.chats.openNew();
  assert.equal(parts.chats.draft, "");
  parts.chats.open(one);
  assert.equal(parts.chats.draft, "for one");
});

test("a deleted chat comes back as it was", () => {
  const parts = stage();
  const id = ask(parts, "One?");
  parts.chats.remove(id);
  assert.deepEqual([titles(parts), parts.store.read(id)], [[], null]);
  parts.chats.undelete();
  assert.deepEqual([titles(parts), parts.chats.current.id], [["One?"], id]);
});

test("a name given by hand stays", () => {
  const parts = stage();
  const id = ask(parts, "One?");
  parts.chats.rename(id, "  Mine ");
  ask(parts, "Two?");
  parts.chats.rename(id, "   ");
  assert.deepEqual(titles(parts), ["Mine"]);
});

test("another tab's words arrive, unless this tab is answering that chat", () => {
  const storage = memoryStorage();
  const here = stage({ storage });
  const id = ask(here, "One?");
  const there = stage({ storage });
  there.chats.restore();
  ask(there, "Two?");

  here.chats.running[id] = here.chats.current;
  here.chats.refresh(id);
  assert.equal(here.chats.current.messages.length, 1);
  delete here.chats.running[id];
  here.chats.refresh(id);
  assert.equal(here.chats.current.messages.length, 2);
});

test("a full storage is said, and nothing is thrown at who types", () => {
  const storage = memoryStorage();
  let isFull = false;
  const parts = stage({
    storage: {
      ...storage,
      get length() {
        return storage.length;
      },
      setItem(key, text) {
        if (isFull) throw new Error("quota");
        storage.setItem(key, text);
      },
    },
  });
  const shown = scope(notices(parts)());
  isFull = true;
  ask(parts, "One?");
  assert.deepEqual([shown.isStorageFull, shown.storageText], [true, parts.words.storageFull]);
  isFull = false;
  ask(parts, "Two?");
  assert.equal(shown.isStorageFull, false);
});

function listed(parts) {
  const panels = { isShelfOpen: true };
  const makeShelf = shelf({ ...parts, panels, setTimeout: parts.clock.setTimeout, clearTimeout: parts.clock.clearTimeout });
  const list = makeShelf();
  const row = (index) => Object.assign(scope(list), { chat: list.chats[index], $el: { closest: () => ({ querySelector: () => ({ select: () => {} }) }) } });
  return { panels, list, row };
}

test("a row opens its chat and closes the panel", () => {
  const parts = stage();
  const one = ask(parts, "One?");
  parts.chats.openNew();
  const { panels, row } = listed(parts);
  row(0).openChat();
  assert.deepEqual([parts.chats.current.id, panels.isShelfOpen, row(0).current], [one, false, "page"]);
});

test("a row is renamed in place, and Escape leaves the name", () => {
  const parts = stage();
  ask(parts, "One?");
  const one = listed(parts).row(0);
  one.startRename();
  one.renamedTitle = "Mine";
  one.finishRename();
  assert.deepEqual(titles(parts), ["Mine"]);

  const again = listed(parts).row(0);
  again.startRename();
  again.renamedTitle = "Other";
  again.pressRenameKey({ key: "Escape", preventDefault: () => {} });
  again.finishRename();
  assert.deepEqual(titles(parts), ["Mine"]);
});

test("a deletion can be taken back for a while", () => {
  const parts = stage();
  ask(parts, "One?");
  const shown = scope(notices(parts)());
  listed(parts).row(0).removeChat();
  assert.deepEqual([shown.isDeletedShown, shown.deletedText], [true, "Deleted “One?”."]);
  parts.clock.pass(9);
  assert.equal(shown.isDeletedShown, false);
});
