/** The rules the page's files keep, read from the files. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";

import { LANGUAGES } from "../../frontend/site/js/tongue.js";
import { table as english } from "../../frontend/site/js/words-en.js";

const site = new URL("../../frontend/site/", import.meta.url);
const read = (path) => readFileSync(new URL(path, site), "utf8");
const html = read("index.html");
const modules = readdirSync(new URL("js/", site)).filter((name) => name.endsWith(".js"));

/** What a visit fetches before anyone has written a word, gzipped. */
const WEIGHT_LIMIT_BYTES = 250_000;

/** Directives whose value is Alpine's to read. */
const ATTRIBUTE = /\s((?:x-|@|:)[\w.:-]+)="([^"]*)"/g;

test("attributes hold names, no programs", () => {
  const wrong = [...html.matchAll(ATTRIBUTE)]
    .filter(([, , value]) => !/^(?:[a-z]+ in )?[a-zA-Z]+(?:\.[a-zA-Z]+)?$/.test(value))
    .map(([whole]) => whole);
  assert.deepEqual(wrong, []);
});

test("every name in an attribute is defined by a module", () => {
  const code = modules.map((name) => read(`js/${name}`)).join("\n");
  const loops = [...html.matchAll(/x-for="(\w+) in/g)].map(([, name]) => name);
  const names = [...html.matchAll(ATTRIBUTE)]
    .filter(([, key]) => key !== "x-ref")
    .map(([, , value]) => value.replace(/^\w+ in /, "").split(".")[0]);
  const missing = [...new Set(names)].filter(
    (name) => !loops.includes(name) && !new RegExp(`\\b${name}\\b\\s*(?:\\(|:|,)|Alpine\\.data\\("${name}"`).test(code),
  );
  assert.deepEqual(missing, []);
});

test("there is no inline script, no inline style, no address elsewhere", () => {
  assert.deepEqual(html.match(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=|(?:src|href)="(?:\w+:|\/)/g), null);
  const style = read("style.css");
  assert.deepEqual(style.match(/@import|url\(/g), null);
});

test("main.js alone knows the vendored libraries and the framework", () => {
  const knowing = modules.filter((name) => /vendor\/|\bAlpine\.\w|@alpinejs/.test(read(`js/${name}`)));
  assert.deepEqual(knowing, ["main.js"]);
});

test("no module makes nodes of markup", () => {
  const markup = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|\beval\b|new Function/;
  assert.deepEqual(modules.filter((name) => markup.test(read(`js/${name}`))), []);
});

test("a module stays readable", () => {
  const long = modules.filter((name) => read(`js/${name}`).split("\n").length > 250);
  assert.deepEqual(long, []);
});

test("each icon used is drawn on the page", () => {
  const used = new Set([...html.matchAll(/<use href="#([\w-]+)"/g)].map(([, id]) => id));
  const drawn = new Set([...html.matchAll(/<symbol id="([\w-]+)"/g)].map(([, id]) => id));
  assert.deepEqual([...used].sort(), [...drawn].sort());
});

/** A module and all it imports at once; what import() fetches comes later, when a text needs it. */
function fetchedAtOnce(name, seen = new Set()) {
  seen.add(name);
  for (const [, path] of read(name).matchAll(/^(?:import|export)[^;]*?from "(\.[^"]+)"/gm)) {
    const next = new URL(path, new URL(name, site)).href.slice(site.href.length);
    if (!seen.has(next)) fetchedAtOnce(next, seen);
  }
  return [...seen];
}

test("highlighter, formulas and other languages come later", () => {
  const late = fetchedAtOnce("js/main.js").filter((name) => /highlight|katex|words-(?!en)/.test(name));
  assert.deepEqual(late, []);
});

test("the page is light", () => {
  const files = ["index.html", "style.css", "icon.svg", "js/boot.js", ...fetchedAtOnce("js/main.js")];
  const bytes = files.reduce((sum, name) => sum + gzipSync(readFileSync(new URL(name, site))).length, 0);
  console.log(`page weight: ${bytes} bytes gzipped in ${files.length} files`);
  assert.equal(bytes <= WEIGHT_LIMIT_BYTES, true, `${bytes} bytes`);
});

test("the lock names hashes and no addresses", () => {
  const lock = JSON.parse(readFileSync(new URL("../package-lock.json", site), "utf8"));
  const packages = Object.entries(lock.packages).filter(([name]) => name !== "");
  assert.deepEqual(packages.filter(([, entry]) => entry.resolved || !entry.integrity), []);
});

/** Every piece of fixed text on the page, as people read it. */
function fixedLabels() {
  const body = html.slice(html.indexOf("<body>")).replace(/<svg[\s\S]*?<\/svg>/g, "").replace(/<noscript>[\s\S]*?<\/noscript>/, "");
  const texts = [...body.matchAll(/>([^<]+)</g)].map(([, text]) => text.trim().replace(/\s+/g, " "));
  const told = [...body.matchAll(/\s(?:aria-label|placeholder|title)="([^"]+)"/g)].map(([, text]) => text);
  // Names of keys and of languages, and the product's own, are the same everywhere.
  const same = /^(?:Paddock|[A-Z/?↑]|English|Deutsch|Français|Español|pk-…|)$/;
  return [...new Set([...texts, ...told])].filter((text) => !same.test(text)).sort();
}

const shape = (value, at = "") =>
  typeof value !== "object" ? [at] : Object.entries(value).flatMap(([key, inner]) => shape(inner, `${at}.${key}`));
const holes = (table) => JSON.stringify(table).match(/\{\w+\}/g).sort();

/** The codes of the gateway that an answer can end in: those of its errors that no program's mistake is behind. */
const codes = [...read("../../gateway/errors.py").matchAll(/code, status = "(\w+)"/g)]
  .map(([, code]) => code)
  .filter((code) => !/^(?:request|head|body_invalid|route|method|origin|host|media|deadline|chat_unsupported)/.test(code))
  .sort();

for (const language of LANGUAGES.filter((one) => one !== "en")) {
  test(`every label and every sentence exists in ${language}`, async () => {
    const { labels, table } = await import(`../../frontend/site/js/words-${language}.js`);
    assert.deepEqual(fixedLabels().filter((label) => !(label in labels)), []);
    // The gateway speaks English itself: there its own sentences are shown.
    const { happened, ...rest } = table;
    const { happened: none, ...own } = english;
    assert.deepEqual([shape(rest).sort(), none], [shape(own).sort(), {}]);
    assert.deepEqual(Object.keys(happened).sort(), codes);
    assert.deepEqual(holes(table), holes(english));
  });
}
