/**
 * Model text as nodes: the one way it enters the document.
 *
 * Parser tokens become elements through createElement and text nodes, never through markup; the
 * sanitizer then goes over the finished nodes as a second lock. HTML in the text is shown as text,
 * images become links to themselves, links lead to http and https only.
 *
 * While an answer grows, blocks that are complete are neither parsed nor built again.
 *
 * Knows: the parser's token names, the elements allowed. Knows nothing of: chats, streams.
 */

import { directionOf } from "./direction.js";

/** Everything an answer may consist of; the sanitizer enforces the same list. */
export const ELEMENTS = [
  "p", "br", "hr", "strong", "em", "del", "code", "pre", "blockquote", "ul", "ol", "li", "a", "div", "span",
  "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td",
];
export const ATTRIBUTES = ["href", "rel", "target", "class", "start", "dir", "tabindex", "scope"];

/** Headings start below the page's own (h1 the page, h2 a message). */
const HEADINGS = ["h3", "h4", "h5", "h6", "h6", "h6"];

const ENTITIES = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00A0", ndash: "–", mdash: "—", hellip: "…", copy: "©", times: "×", deg: "°" };

/**
 * Return `render(element, text, isGrowing)`.
 *
 * `lex(text)` returns block tokens, `sanitize(node)` a clean fragment, `copy(text)` copies to the clipboard.
 * `paint(code, language)` and `typeset(element)` work later, on blocks that no longer grow.
 */
export function markdown({ lex, sanitize, document, copy, words, setTimeout, paint = () => {}, typeset = null }) {
  const drawn = new WeakMap();

  function render(element, source, isGrowing = false) {
    // The parser counts line ends as one character; so must the offsets taken from its tokens.
    const text = source.replace(/\r\n?/g, "\n");
    const before = drawn.get(element) ?? { text: "", blocks: [], isGrowing: false };
    if (before.text === text && before.isGrowing === isGrowing) return;
    // While text is appended, only the last block on show is built again. The last rendering reads the
    // whole text once more: a link's address may be given far below its first use.
    const isAppended = isGrowing && text.startsWith(before.text);
    const kept = before.blocks.slice(0, isAppended ? openFrom(before.blocks) : 0);
    const old = before.blocks.slice(kept.length);
    const offset = kept.reduce((sum, block) => sum + block.raw.length, 0);
    const blocks = [...kept];
    let last = kept.findLast((one) => one.node !== null)?.node ?? null;
    const tokens = lex(text.slice(offset));
    const isRedrawn = !isGrowing && Object.keys(tokens.links ?? {}).length > 0;
    tokens.forEach((token, index) => {
      const made = draw(token, isRedrawn ? undefined : old[index]);
      blocks.push(made);
      if (made.node === null) return;
      const next = last === null ? element.firstChild : last.nextSibling;
      if (next !== made.node) element.insertBefore(made.node, next);
      last = made.node;
    });
    const shown = new Set(blocks.map((one) => one.node));
    for (const one of old) if (one.node !== null && !shown.has(one.node)) one.node.remove();
    blocks.slice(kept.length, isGrowing ? lastShown(blocks) : undefined).forEach(finish);
    drawn.set(element, { text, blocks, isGrowing });
  }

  /** Colour code and set formulas, once for each block that has its final shape. */
  function finish(block) {
    if (block.isFinished || block.node === null) return;
    block.isFinished = true;
    // A library that does not come leaves the text as it was written.
    const plain = () => {};
    if (block.type === "code") paint(block.node.querySelector("code"), block.lang ?? "")?.catch(plain);
    else if (typeset !== null) for (const formula of block.node.querySelectorAll(".math")) typeset(formula).catch(plain);
  }

  /** Return a block as it was, longer (code keeps its node and with it the scroll position), or anew. */
  function draw(token, old) {
    if (old !== undefined && old.raw === token.raw && old.type === token.type) return old;
    if (token.type === "code" && old?.type === "code" && old.lang === token.lang) {
      const target = old.node.querySelector("code");
      if (token.text.startsWith(target.textContent)) {
        target.append(token.text.slice(target.textContent.length));
        return { ...old, raw: token.raw, isFinished: false };
      }
    }
    return { raw: token.raw, type: token.type, lang: token.lang, node: build(token) };
  }

  function build(token) {
    const made = block(token);
    if (made === null) return null;
    const clean = sanitize(made).firstChild;
    if (clean !== null && token.type === "code") addCopyButton(clean);
    return clean;
  }

  function make(name, attributes = {}, children = []) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }

  const blocks = (tokens) => tokens.map(block).filter((node) => node !== null);
  const inlines = (tokens = []) => tokens.flatMap(inline);

  function block(token) {
    switch (token.type) {
      case "space":
      case "def":
        return null;
      case "heading":
        return make(HEADINGS[token.depth - 1], { dir: "auto" }, inlines(token.tokens));
      case "hr":
        return make("hr");
      case "code":
        return codeBlock(token);
      case "blockquote":
        return make("blockquote", { dir: directionOf(token.text) }, blocks(token.tokens));
      case "list": {
        const start = token.ordered && token.start !== 1 ? { start: String(token.start) } : {};
        return make(token.ordered ? "ol" : "ul", { dir: directionOf(token.raw), ...start }, token.items.map(item));
      }
      case "table":
        return make("div", { class: "table", tabindex: "0", dir: directionOf(token.raw) }, [table(token)]);
      case "text":
        return make("span", { dir: "auto" }, token.tokens ? inlines(token.tokens) : [decode(token.text)]);
      case "html":
        return make("p", { dir: "auto" }, [token.text]);
      case "paragraph":
        return make("p", { dir: "auto" }, inlines(token.tokens));
      default:
        return make("p", { dir: "auto" }, inline(token));
    }
  }

  function item(token) {
    const mark = token.task ? [token.checked ? "☑ " : "☐ "] : [];
    const children = token.tokens.filter((child) => child.type !== "checkbox");
    return make("li", token.task ? { class: "task" } : {}, [...mark, ...blocks(children)]);
  }

  function codeBlock(token) {
    const language = /^[\w+#.-]{1,20}/.exec(token.lang ?? "")?.[0] ?? "";
    const head = make("div", { class: "code-head" }, [make("span", {}, [language || words.code])]);
    const body = make("pre", { tabindex: "0" }, [make("code", { dir: "ltr" }, [token.text])]);
    return make("div", { class: "code" }, [head, body]);
  }

  function table(token) {
    const cell = (name, attributes) => (one) =>
      make(name, { ...attributes, dir: "auto", ...(one.align ? { class: `align-${one.align}` } : {}) }, inlines(one.tokens));
    const head = make("tr", {}, token.header.map(cell("th", { scope: "col" })));
    const rows = token.rows.map((row) => make("tr", {}, row.map(cell("td", {}))));
    return make("table", {}, [make("thead", {}, [head]), make("tbody", {}, rows)]);
  }

  function inline(token) {
    switch (token.type) {
      case "strong":
      case "em":
      case "del":
        return [make(token.type, {}, inlines(token.tokens))];
      case "codespan":
        return [make("code", { dir: "ltr" }, [token.text])];
      case "math":
        return [make("span", { class: "math", dir: "ltr" }, [token.raw])];
      case "br":
        return [make("br")];
      case "html":
        return /^<br\s*\/?>$/i.test(token.text.trim()) ? [make("br")] : [token.text];
      case "link":
        return link(token.href, inlines(token.tokens));
      case "image":
        return link(token.href, [words.image(token.text)]);
      case "escape":
        return [token.text];
      case "checkbox":
        return [];
      default:
        return token.tokens ? inlines(token.tokens) : [decode(token.text ?? token.raw)];
    }
  }

  function link(href, children) {
    const address = webAddress(href);
    if (address === null) return children;
    return [make("a", { href: address, rel: "noopener noreferrer nofollow", target: "_blank" }, children)];
  }

  /** Ours, not the model's: added after the sanitizer has been over the block. */
  function addCopyButton(figure) {
    const button = make("button", { type: "button", class: "copy-code" }, [words.copyCode]);
    button.addEventListener("click", async () => {
      const isCopied = await copy(figure.querySelector("code").textContent);
      button.textContent = isCopied ? words.copied : words.copyFailed;
      setTimeout(() => {
        button.textContent = words.copyCode;
      }, 2000);
    });
    figure.firstChild.append(button);
  }

  return render;
}

/** Where the last block on show is; blank lines and definitions show nothing. */
const lastShown = (blocks) => Math.max(0, blocks.findLastIndex((block) => block.node !== null));

/**
 * From which block on the text is read again: the last on show. One that stands right behind another, with
 * no blank line between, may yet turn out to belong to it; then that one is read again, too, and built only
 * if it has changed.
 */
function openFrom(blocks) {
  const at = lastShown(blocks);
  return at > 0 && !/\n[ \t]*\n$/.test(blocks[at - 1].raw) ? at - 1 : at;
}

/** Return an absolute http(s) address, or null for anything else. */
export function webAddress(href) {
  try {
    const address = new URL(href);
    return address.protocol === "https:" || address.protocol === "http:" ? address.href : null;
  } catch {
    return null;
  }
}

/** Read character references as a reader expects; unknown ones stay as written. */
export function decode(text) {
  return text.replace(/&(?:#(\d{1,7})|#x([\da-f]{1,6})|([a-z]{2,8}));/gi, (whole, decimal, hex, name) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? parseInt(hex, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : whole;
  });
}

/** Return the `x-markdown` directive: its expression names a message with `text` and `state`. */
export function directive({ render }) {
  return (element, { expression }, { evaluateLater, effect }) => {
    const read = evaluateLater(expression);
    effect(() => read((message) => render(element, message.text, message.state === "streaming")));
  };
}
