import assert from "node:assert/strict";
import { test } from "node:test";

import { history, memoryStorage, migrate, StorageFull, VERSION } from "../../frontend/site/js/history.js";

const chat = (id, updated = 1, messages = []) => ({ id, title: id, updated, messages });

test("a chat written is the chat read", () => {
  const store = history({ storage: memoryStorage() });
  store.write(chat("a"));
  assert.deepEqual(store.read("a"), { ...chat("a"), version: VERSION });
});

test("the list has the newest first and summaries only", () => {
  const store = history({ storage: memoryStorage() });
  store.write(chat("old", 1));
  store.write(chat("new", 2));
  const expected = [
    { id: "new", title: "new", updated: 2 },
    { id: "old", title: "old", updated: 1 },
  ];
  assert.deepEqual(store.list(), expected);
});

test("a removed chat takes its draft along", () => {
  const store = history({ storage: memoryStorage() });
  store.write(chat("a"));
  store.writeDraft("a", "half a thought");
  store.remove("a");
  assert.deepEqual([store.read("a"), store.readDraft("a")], [null, ""]);
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

test("a record that cannot be read stays where it is", () => {
  const storage = memoryStorage();
  storage.setItem("paddock.chat.broken", "{");
  storage.setItem("paddock.chat.newer", JSON.stringify({ ...chat("newer"), version: VERSION + 1 }));
  const store = history({ storage });

  assert.deepEqual(store.list(), []);
  assert.equal(storage.getItem("paddock.chat.broken"), "{");
  assert.notEqual(storage.getItem("paddock.chat.newer"), null);
});

test("an answer nobody writes any more is interrupted", () => {
  const store = history({ storage: memoryStorage() });
  const states = ["waiting", "streaming", "finished", "stopped"];
  store.write(chat("a", 1, states.map((state) => ({ state }))));
  const expected = ["interrupted", "interrupted", "finished", "stopped"];
  assert.deepEqual(store.read("a").messages.map((message) => message.state), expected);
});

test("a full storage is its own error", () => {
  const storage = { ...memoryStorage(), setItem: () => { throw new Error("quota"); } };
  assert.throws(() => history({ storage }).write(chat("a")), StorageFull);
});

test("a storage event's key names its chat", () => {
  const store = history({ storage: memoryStorage() });
  assert.deepEqual([store.chatOf("paddock.chat.a"), store.chatOf("paddock.look"), store.chatOf(null)], ["a", null, null]);
});
