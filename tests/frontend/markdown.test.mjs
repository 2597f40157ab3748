import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { ATTRIBUTES, decode, ELEMENTS, markdown, webAddress } from "../../frontend/site/js/markdown.js";
import { english } from "../../frontend/site/js/words.js";
import { Marked } from "../../frontend/site/vendor/marked.js";
import { fakeDocument, passThrough } from "./dom.mjs";

const payloads = JSON.parse(readFileSync(new URL("payloads.json", import.meta.url), "utf8"));
const parser = new Marked({ gfm: true });

function renderer({ lex = (text) => parser.lexer(text), copied = [] } = {}) {
  const later = [];
  const render = markdown({
    lex,
    sanitize: passThrough,
    document: fakeDocument,
    copy: async (text) => {
      copied.push(text);
      return true;
    },
    words: english,
    setTimeout: (callback) => later.push(callback),
  });
  return { render, later };
}

function draw(text) {
  const root = fakeDocument.createElement("root");
  renderer().render(root, text);
  return root;
}

const outline = (text) => draw(text).children.map((child) => child.outline()).join("");

test("the common forms become their elements", () => {
  const cases = [
    ["One *two* **three** ~~four~~ `five`", "p(One em(two) strong(three) del(four) code(five))"],
    ["# Title", "h3(Title)"],
    ["###### Deep", "h6(Deep)"],
    ["- a\n- b", "ul(li(span(a))li(span(b)))"],
    ["- a\n\n- b", "ul(li(p(a))li(p(b)))"],
    ["1. a\n   - b", "ol(li(span(a)ul(li(span(b)))))"],
    ["> quoted", "blockquote(p(quoted))"],
    ["a\n\n---\n\nb", "p(a)hr()p(b)"],
    ["a  \nb", "p(abr()b)"],
    ["| a | b |\n|---|--:|\n| 1 | 2 |", "div(table(thead(tr(th(a)th(b)))tbody(tr(td(1)td(2)))))"],
    ["- [x] done\n- [ ] open", "ul(li(☑ span(done))li(☐ span(open)))"],
    ["a<br>b", "p(abr()b)"],
    ["5 &lt; 6 &amp; R&D", "p(5 < 6 & R&D)"],
    ["\\*plain\\*", "p(*plain*)"],
  ];
  for (const [text, expected] of cases) assert.equal(outline(text), expected, text);
});

test("a code block has its language, its text and a copy button", () => {
  assert.equal(outline("```python\nprint(1)\n```"), "div(div(span(python)button(Copy))pre(code(print(1))))");
});

test("a fence that is still open renders as code", () => {
  assert.equal(outline("```\nprint(1)"), "div(div(span(code)button(Copy))pre(code(print(1))))");
});

test("the copy button copies the code and says so", async () => {
  const copied = [];
  const { render, later } = renderer({ copied });
  const root = fakeDocument.createElement("root");
  render(root, "```\na < b\n```");
  const button = root.querySelector("button");

  await button.listeners.click();

  assert.deepEqual(copied, ["a < b"]);
  assert.equal(button.textContent, english.copied);
  later.at(-1)();
  assert.equal(button.textContent, english.copyCode);
});

test("a list keeps its first number", () => {
  assert.deepEqual(draw("3. c\n4. d").firstChild.attributes, { dir: "ltr", start: "3" });
});

test("a list, a quotation and a table run as their first letter does", () => {
  for (const [text, direction] of [["- 1. واحد", "rtl"], ["- one", "ltr"], ["> שלום", "rtl"], ["> 1 + 1", "ltr"], ["| أ | b |\n|---|---|\n| 1 | 2 |", "rtl"]]) {
    assert.equal(draw(text).firstChild.attributes.dir, direction, text);
  }
});

test("a task has its box for a bullet", () => {
  const [done, open, other] = draw("- [x] a\n- [ ] b\n- c").firstChild.children;
  assert.deepEqual([done, open, other].map((one) => one.attributes.class), ["task", "task", undefined]);
});

test("a web link opens beside the page and tells nobody where from", () => {
  const link = draw("[x](https://ok.example/a)").querySelector("a");
  const expected = { href: "https://ok.example/a", rel: "noopener noreferrer nofollow", target: "_blank" };
  assert.deepEqual(link.attributes, expected);
});

test("only http and https addresses are links", () => {
  for (const href of ["javascript:1", "data:text/html,x", "//a.example", "/a", "", "ftp://a", "mailto:a@b.example"]) {
    assert.equal(webAddress(href), null, href);
  }
  assert.equal(webAddress("http://a.example"), "http://a.example/");
});

test("an image becomes a link to itself, so nothing is fetched", () => {
  const root = draw("![a cat](https://other.example/cat.png)");
  assert.equal(root.firstChild.outline(), "p(a(image: a cat))");
});

test("character references are read, broken ones stay", () => {
  assert.equal(decode("&lt;&#60;&#x3c;&nope;&#0;&#xD800;&"), "<<<&nope;&#0;&#xD800;&");
});

for (const payload of payloads) {
  test(`what is built stays within the lists: ${JSON.stringify(payload).slice(0, 60)}`, () => {
    const elements = draw(payload).all().slice(1).filter((element) => element.name !== "button");
    const names = elements.map((element) => element.name).filter((name) => !ELEMENTS.includes(name));
    const keys = elements.flatMap((element) => Object.keys(element.attributes)).filter((key) => !ATTRIBUTES.includes(key));
    const hrefs = elements.map((element) => element.attributes.href).filter((href) => href && !/^https?:\/\//.test(href));
    assert.deepEqual({ names, keys, hrefs }, { names: [], keys: [], hrefs: [] });
  });
}

const LONG = `# Title

First *paragraph* with a [link][there].

- one
- two

  more of two

\`\`\`js
const a = 1;

const b = 2;
\`\`\`

| a | b |
|---|---|
| 1 | 2 |

> quote
> goes on

Setext
======

1. x

2. y

[there]: https://ok.example/
`;

test("text that grows character by character ends as text that came at once", () => {
  const root = fakeDocument.createElement("root");
  const { render } = renderer();
  for (let end = 1; end <= LONG.length; end += 1) render(root, LONG.slice(0, end), true);
  render(root, LONG, false);
  assert.equal(root.children.map((child) => child.outline()).join(""), outline(LONG));
});

test("line ends of other systems change nothing", () => {
  assert.equal(outline(LONG.replaceAll("\n", "\r\n")), outline(LONG));
});

test("complete blocks are neither parsed nor built again", () => {
  const lexed = [];
  const { render } = renderer({
    lex: (text) => {
      lexed.push(text);
      return parser.lexer(text);
    },
  });
  const root = fakeDocument.createElement("root");
  const done = "one\n\ntwo\n\nthree\n\nfo";
  render(root, done, true);
  const before = [...root.children];
  render(root, `${done}ur`, true);

  assert.deepEqual(root.children.slice(0, 3), before.slice(0, 3));
  assert.equal(lexed.at(-1).includes("two"), false);
});

test("code that grows keeps its element, and with it the reader's place in it", () => {
  const { render } = renderer();
  const root = fakeDocument.createElement("root");
  render(root, "```\na", true);
  const before = root.firstChild;
  render(root, "```\na\nb", true);

  assert.equal(root.firstChild, before);
  assert.equal(root.querySelector("code").textContent, "a\nb");
});

test("text that was replaced is drawn anew", () => {
  const { render } = renderer();
  const root = fakeDocument.createElement("root");
  render(root, "one\n\ntwo\n\nthree");
  render(root, "four");
  assert.equal(root.children.map((child) => child.outline()).join(""), "p(four)");
});
