import assert from "node:assert/strict";
import { test } from "node:test";

import { memoryDatabase } from "../../frontend/site/js/database.js";
import { history, migrate, StorageFull, summary, VERSION } from "../../frontend/site/js/history.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";

const chat = (id, updated = 1, messages = []) => ({ id, title: id, updated, messages, leaf: null });
const opened = ({ storage = memoryStorage(), database = memoryDatabase() } = {}) => ({ storage, database, store: history({ database, storage }) });

test("a chat written is the chat read", async () => {
  const { store } = opened();
  await store.write(chat("a"));
  assert.deepEqual(await store.read("a"), { ...chat("a"), version: VERSION });
});

test("the list has pinned chats first, then the newest, and summaries only", async () => {
  const { store } = opened();
  await store.write(chat("old", 1));
  await store.write({ ...chat("pinned", 0), isPinned: true });
  await store.write(chat("new", 2, [{ id: "m", state: "streaming", text: "" }]));
  const expected = [["pinned", false], ["new", true], ["old", false]];
  assert.deepEqual((await store.list()).map((one) => [one.id, one.isUnfinished]), expected);
  assert.equal((await store.list()).some((one) => "messages" in one), false);
});

test("a removed chat takes its draft along", async () => {
  const { store } = opened();
  await store.write(chat("a"));
  await store.writeDraft("a", { text: "half a thought", files: [], settings: null });
  await store.remove("a");
  assert.deepEqual([await store.read("a"), (await store.readDraft("a")).text], [null, ""]);
});

test("an old record is lifted step by step", () => {
  const migrations = {
    1: (old) => ({ ...old, messages: old.turns }),
    2: (old) => ({ ...old, title: old.title.toUpperCase() }),
  };
  const lifted = migrate({ version: 1, id: "a", title: "a", turns: [1] }, { version: 3, migrations });
  assert.deepEqual(lifted, { version: 3, id: "a", title: "A", turns: [1], messages: [1] });
});

test("a record without a step, of a newer page, or of no shape is not read", () => {
  for (const record of [{ ...chat("a"), version: 0 }, { ...chat("a"), version: VERSION + 1 }, {}, null, 7, "x", []]) {
    assert.equal(migrate(record), null);
  }
});

test("what version 1 kept in local storage moves into the database", async () => {
  const { store, storage } = opened();
  const answer = { id: "m", role: "assistant", text: "Half", state: "streaming" };
  storage.setItem("paddock.chat.a", JSON.stringify({ ...chat("a", 1, [answer]), version: 1 }));
  await store.adopt();
  assert.deepEqual([(await store.read("a")).isPinned, storage.getItem("paddock.chat.a")], [false, null]);
  assert.deepEqual((await store.list()).map((one) => one.isUnfinished), [true]);
});

test("what a page wrote as it went away is there for the next one, and never takes words back", async () => {
  const { store } = opened();
  const at = (text) => chat("a", 1, [{ id: "m", role: "assistant", text, state: "streaming", cursor: text.length }]);
  await store.write(at("one"));
  store.leave(at("one two"));
  await store.adopt();
  assert.equal((await store.read("a")).messages[0].text, "one two");
  store.leave(at("one"));
  await store.adopt();
  assert.equal((await store.read("a")).messages[0].text, "one two");
  store.leave({ ...chat("b"), messages: [{ id: "q", role: "user", text: "New?", state: "finished" }] });
  await store.adopt();
  assert.equal((await store.read("b")).messages.length, 1);
});

test("a record that cannot be read stays where it is", async () => {
  const { store, storage, database } = opened();
  storage.setItem("paddock.chat.broken", "{");
  const newer = { ...chat("newer"), version: VERSION + 1 };
  await database.update("newer", () => ({ record: newer, summary: { ...summary(newer), version: VERSION + 1 } }));
  await store.adopt();
  await store.write(chat("newer"));

  assert.deepEqual(await store.list(), []);
  assert.equal(storage.getItem("paddock.chat.broken"), "{");
  assert.deepEqual(await database.get("newer"), newer);
});

test("a full storage is its own error, and no other is", async () => {
  const failing = (name) => ({ ...memoryDatabase(), update: async () => { throw Object.assign(new Error("no"), { name }); } });
  await assert.rejects(opened({ database: failing("QuotaExceededError") }).store.write(chat("a")), StorageFull);
  await assert.rejects(opened({ database: failing("AbortError") }).store.write(chat("a")), { name: "AbortError" });
  const storage = { ...memoryStorage(), setItem: () => { throw new Error("quota"); } };
  assert.throws(() => opened({ storage }).store.leave(chat("a")), StorageFull);
  const database = { ...memoryDatabase(), putNote: async () => { throw Object.assign(new Error("no"), { name: "QuotaExceededError" }); } };
  await assert.rejects(opened({ database }).store.writeDraft("a", { text: "x", files: [], settings: null }), StorageFull);
});

test("a copy that was seen to begin does not undo what the other tab wrote since", async () => {
  const answer = (text, state, cursor, stream = "s") => ({ id: "m", parent: null, text, state, cursor, stream });
  const cases = [
    // What is stored, what this tab writes, what is kept.
    [answer("whole", "finished", 9), answer("wh", "streaming", 3), "whole"],
    [answer("whol", "streaming", 8), answer("", "waiting", 0, null), "whol"],
    [answer("wh", "streaming", 3), answer("whole", "streaming", 9), "whole"],
    [answer("part", "interrupted", 4), answer("part", "waiting", 0, null), "part", "waiting"],
    [answer("part", "interrupted", 4), answer("part and", "streaming", 2, "t"), "part and"],
  ];
  for (const [stored, mine, text, state] of cases) {
    const { store } = opened();
    await store.write(chat("a", 1, [stored]));
    await store.write(chat("a", 1, [mine]));
    const [kept] = (await store.read("a")).messages;
    assert.deepEqual([kept.text, kept.state], [text, state ?? (text === stored.text ? stored.state : mine.state)]);
  }
});
