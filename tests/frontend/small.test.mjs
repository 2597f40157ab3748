import assert from "node:assert/strict";
import { test } from "node:test";

import { announcer } from "../../frontend/site/js/announcer.js";
import { clipboard } from "../../frontend/site/js/clipboard.js";
import { drawer } from "../../frontend/site/js/drawer.js";
import { count, plural, rate, seconds, wholeSeconds } from "../../frontend/site/js/figure.js";
import { follow } from "../../frontend/site/js/follow.js";
import { grow } from "../../frontend/site/js/grow.js";
import { identities } from "../../frontend/site/js/identity.js";
import { keyboard } from "../../frontend/site/js/keyboard.js";
import { look } from "../../frontend/site/js/look.js";
import { memoryStorage } from "../../frontend/site/js/storage.js";
import { english } from "../../frontend/site/js/words.js";

test("an answer is announced by sentences, its end at the end", () => {
  const said = [];
  const voice = announcer({ say: (text) => said.push(text) });
  const text = "# Title\nIt is **so**. Is 3.5 more? Yes\n\n```js\nrun()\n```\nand more";
  voice.start();
  for (let end = 1; end <= text.length; end += 1) voice.push(text.slice(0, end));
  voice.finish(text);
  assert.deepEqual(said, ["Title", "It is so.", "Is 3.5 more?", "Yes", "run()", "and more"]);
});

test("copying uses the clipboard where there is one", async () => {
  const copied = [];
  const copy = clipboard({ navigator: { clipboard: { writeText: async (text) => copied.push(text) } } });
  assert.deepEqual([await copy("x"), copied], [true, ["x"]]);
});

test("copying on a plain-http address goes through a selection and gives the focus back", async () => {
  const steps = [];
  const area = { setAttribute: () => {}, select: () => steps.push(`select ${area.value}`), remove: () => steps.push("remove") };
  const document = {
    activeElement: { closest: () => null, focus: () => steps.push("focus") },
    body: { append: () => steps.push("append") },
    createElement: () => area,
    execCommand: (command) => steps.push(command) > 0,
  };
  assert.equal(await clipboard({ navigator: {}, document })("x"), true);
  assert.deepEqual(steps, ["append", "select x", "copy", "remove", "focus"]);
});

test("ids are random with and without randomUUID", () => {
  const bytes = { getRandomValues: (array) => array.fill(171) };
  assert.equal(identities({ crypto: bytes })(), "ab".repeat(16));
  assert.equal(identities({ crypto: { randomUUID: () => "u-1" } })(), "u-1");
});

test("figures are written as people read them", () => {
  assert.deepEqual([0.214, 1.25, 9.99, 59.4, 61, 120].map(seconds), ["0.21 s", "1.3 s", "10 s", "59 s", "1 min 1 s", "2 min"]);
  assert.deepEqual([4, 75].map(wholeSeconds), ["4 s", "1 min 15 s"]);
  assert.deepEqual([8.44, 99.96, 1520].map(rate), ["8.4", "100", "1,520"]);
  assert.deepEqual([plural(1, "engine"), plural(0, "engine"), count(12345)], ["1 engine", "0 engines", "12,345"]);
});

test("the look follows the system until one chooses, and the choice stays", () => {
  const storage = memoryStorage();
  const root = { dataset: {} };
  const one = look({ root, storage, words: english })();
  one.init();
  assert.deepEqual([root.dataset.look, one.isSystemLook, one.lookLabel], ["system", true, "Colours: as the system"]);
  one.nextLook();
  one.nextLook();
  assert.equal(root.dataset.look, "dark");
  look({ root, storage, words: english })().init();
  assert.equal(root.dataset.look, "dark");
  one.nextLook();
  assert.equal(root.dataset.look, "system");
});

test("a text box takes its text's height where the style sheet cannot do it", async () => {
  const element = { style: {}, scrollHeight: 72 };
  const tools = { evaluateLater: () => (use) => use("text"), effect: (run) => run() };
  grow({ isNative: true })(element, { expression: "draft" }, tools);
  await Promise.resolve();
  assert.deepEqual(element.style, {});
  grow({ isNative: false })(element, { expression: "draft" }, tools);
  await Promise.resolve();
  assert.deepEqual(element.style, { height: "72px" });
});

function scrolling() {
  const heard = [];
  let grow = () => {};
  const element = {
    scrollTop: 0,
    scrollHeight: 1000,
    clientHeight: 200,
    addEventListener: (type, listener) => (element.listener = listener),
    removeEventListener: () => {},
    to(top) {
      this.scrollTop = top;
      this.listener();
    },
  };
  class FakeResizeObserver {
    constructor(callback) {
      grow = (height) => {
        element.scrollHeight = height;
        callback();
      };
    }
    observe() {}
    disconnect() {}
  }
  const wish = { isWanted: true };
  const tail = follow({
    element,
    content: {},
    ResizeObserver: FakeResizeObserver,
    isWanted: () => wish.isWanted,
    onChange: (isAtEnd) => heard.push(isAtEnd),
  });
  return { element, tail, wish, heard, grow: (height) => grow(height) };
}

test("growing text is followed until the reader scrolls up, and again from the end", () => {
  const { element, tail, heard, grow } = scrolling();
  grow(1200);
  assert.equal(element.scrollTop, 1200);
  element.to(600);
  grow(1400);
  assert.deepEqual([element.scrollTop, heard], [600, [false]]);
  element.to(1190);
  grow(1600);
  assert.deepEqual([element.scrollTop, heard], [1600, [false, true]]);
  element.to(100);
  tail.toEnd();
  assert.deepEqual([element.scrollTop, heard], [1600, [false, true, false, true]]);
});

test("what nobody wants followed stays where it is", () => {
  const { element, wish, grow } = scrolling();
  wish.isWanted = false;
  grow(1200);
  assert.equal(element.scrollTop, 0);
});

test("a keyboard over the page leaves the page what it does not cover", () => {
  const styles = {};
  const root = { style: { setProperty: (name, value) => (styles[name] = value), removeProperty: (name) => delete styles[name] } };
  let resized;
  const visualViewport = { height: 800, scale: 1, addEventListener: (name, listener) => (resized = listener) };
  keyboard({ visualViewport, window: { innerHeight: 800, scrollTo: () => {} }, root });
  visualViewport.height = 430.4;
  resized();
  assert.deepEqual(styles, { "--visible": "430px" });
  Object.assign(visualViewport, { height: 400, scale: 2 });
  resized();
  assert.deepEqual(styles, {});
  keyboard({ visualViewport: undefined, window: {}, root });
});

test("the keyboard goes into the list that slides over, and back out of it", () => {
  const narrow = { matches: true };
  const focused = [];
  let isInside = false;
  const follow = drawer({ narrow, focus: (selector) => focused.push(selector), hasFocus: () => isInside, setTimeout: (callback) => callback() });
  follow(false);
  follow(true);
  follow(true);
  follow(false);
  isInside = true;
  follow(true);
  narrow.matches = false;
  follow(false);
  assert.deepEqual(focused, [".shelf-head .icon", ".bar .narrow-only"]);
});
