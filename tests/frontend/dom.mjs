/**
 * As much of a document as the Markdown builder touches, to look at what it builds without a browser.
 *
 * Knows nothing of: markup. There is no innerHTML here, so a builder that needs one fails.
 */

class TextNode {
  constructor(text) {
    this.textContent = text;
    this.parent = null;
  }
  remove() {
    detach(this);
  }
}

class Element {
  constructor(name) {
    this.name = name;
    this.attributes = {};
    this.children = [];
    this.parent = null;
    this.listeners = {};
  }
  setAttribute(key, value) {
    this.attributes[key] = value;
  }
  append(...nodes) {
    for (const node of nodes) this.insertBefore(typeof node === "string" ? new TextNode(node) : node, null);
  }
  insertBefore(node, next) {
    detach(node);
    const at = next === null ? this.children.length : this.children.indexOf(next);
    this.children.splice(at, 0, node);
    node.parent = this;
  }
  remove() {
    detach(this);
  }
  addEventListener(type, listener) {
    this.listeners[type] = listener;
  }
  get firstChild() {
    return this.children[0] ?? null;
  }
  get nextSibling() {
    const among = this.parent.children;
    return among[among.indexOf(this) + 1] ?? null;
  }
  get textContent() {
    return this.children.map((child) => child.textContent).join("");
  }
  set textContent(text) {
    this.children = [];
    this.append(text);
  }
  querySelector(name) {
    return this.all().find((element) => element !== this && element.name === name) ?? null;
  }
  /** This element and all below it. */
  all() {
    return [this, ...this.children.filter((child) => child instanceof Element).flatMap((child) => child.all())];
  }
  /** A short notation to compare with: p(Hi em(you)). */
  outline() {
    const inner = this.children.map((child) => (child instanceof Element ? child.outline() : child.textContent));
    return `${this.name}(${inner.join("")})`;
  }
}

function detach(node) {
  if (node.parent === null) return;
  node.parent.children = node.parent.children.filter((child) => child !== node);
  node.parent = null;
}

export const fakeDocument = { createElement: (name) => new Element(name) };

/** The sanitizer's shape without its work: what is built must be clean before it. */
export function passThrough(node) {
  return { firstChild: node };
}
