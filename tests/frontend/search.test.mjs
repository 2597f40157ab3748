import assert from "node:assert/strict";
import { test } from "node:test";

import { find, wordsOf } from "../../frontend/site/js/search.js";

const chat = (title, ...texts) => ({ title, messages: texts.map((text) => ({ text })) });

test("words are found anywhere, whatever their case, and all are needed", () => {
  assert.deepEqual(wordsOf("  The  FOX "), ["the", "fox"]);
  const told = chat("Fables", "A fox saw grapes.", "They were\n\nsour, said the Fox.");
  assert.equal(find(told, ["fox", "owl"]), null);
  assert.deepEqual(find(told, ["sour"]), { before: "They were ", match: "sour", after: ", said the Fox." });
});

test("a word of the title is shown by the title", () => {
  assert.deepEqual(find(chat("Fables", "x"), ["fables"]), { before: "", match: "", after: "" });
  assert.equal(find(chat("Fables", "An owl."), ["fables", "owl"]).match, "owl");
});

test("a long message is cut around what was found", () => {
  const { before, match, after } = find(chat("", `${"a ".repeat(100)}fox${" b".repeat(100)}`), ["fox"]);
  assert.deepEqual([before.startsWith("…a"), before.length, match, after.length], [true, 25, "fox", 60]);
});
