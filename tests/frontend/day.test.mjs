import assert from "node:assert/strict";
import { test } from "node:test";

import { days } from "../../frontend/site/js/day.js";
import { english, vocabulary } from "../../frontend/site/js/words.js";
import { table } from "../../frontend/site/js/words-de.js";

const NOW = new Date(2026, 10, 24, 9, 30).getTime();
const ago = (day, hour = 12) => new Date(2026, 10, 24 - day, hour).getTime();
const listed = (...rows) => rows.map(([id, updated, isPinned = false]) => ({ id, updated, isPinned }));

test("the first chat of each group carries its name", () => {
  const list = listed(
    ["pinned", ago(40), true],
    ["new", NOW - 1000],
    ["early", ago(0, 0)],
    ["late", ago(1, 23)],
    ["two", ago(2)],
    ["seven", ago(7)],
    ["eight", ago(8)],
    ["thirty", ago(30)],
    ["october", ago(31)],
    ["october too", ago(40)],
    ["last year", ago(400)],
  );
  const expected = {
    pinned: "Pinned",
    new: "Today",
    late: "Yesterday",
    two: "Last 7 days",
    eight: "Last 30 days",
    october: "October 2026",
    "last year": "October 2025",
  };
  assert.deepEqual(days(list, NOW, english), expected);
});

test("a list with one group has no names", () => {
  assert.deepEqual(days(listed(["a", NOW], ["b", NOW]), NOW, english), {});
  assert.deepEqual(days([], NOW, english), {});
});

test("a clock that was wrong puts a chat of tomorrow under today", () => {
  assert.equal(days(listed(["a", ago(-3)], ["b", ago(1)]), NOW, english).a, "Today");
});

test("what is no time is today's", () => {
  for (const updated of [9e15, -9e15, NaN, undefined, "x"]) assert.equal(days(listed(["a", updated], ["b", ago(60)]), NOW, english).a, "Today");
});

test("months are written in the language", () => {
  assert.equal(days(listed(["a", NOW], ["b", ago(60)]), NOW, vocabulary(table, "de")).b, "September 2026");
});
