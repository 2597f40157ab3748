/**
 * The page's language: the browser's unless one chose here.
 *
 * The fixed labels stand in index.html in English; another language is a table from those to its own.
 *
 * Knows: text nodes and the attributes people read. Knows nothing of: what the labels mean.
 */

const KEY = "paddock.language";
const ATTRIBUTES = ["aria-label", "placeholder", "title", "content"];
const TEXT_NODE = 3;

/** The languages there are, English first: it needs no table. */
export const LANGUAGES = ["en", "de", "fr", "es"];

/** Return {choice, language, choose}; `wanted` is the browser's list, `reload` draws the page anew. */
export function tongue({ storage, wanted, reload }) {
  const kept = storage.getItem(KEY);
  const choice = LANGUAGES.includes(kept) ? kept : "auto";
  const fitting = wanted.map((tag) => tag.toLowerCase().split("-", 1)[0]).find((tag) => LANGUAGES.includes(tag));
  return {
    choice,
    language: choice === "auto" ? (fitting ?? "en") : choice,
    choose(next) {
      if (next === "auto") storage.removeItem(KEY);
      else storage.setItem(KEY, next);
      reload();
    },
  };
}

/** Return what the keys are called that Apple's keyboards have in the place of others, by their labels here. */
export const keysOf = (platform) => (/^(?:Mac|iP)/.test(platform ?? "") ? { Ctrl: "⌘" } : {});

/** Replace every label below `root` that the table has; templates hold labels too. */
export function translate(root, labels) {
  if (root.nodeType === TEXT_NODE) {
    const text = root.nodeValue.trim().replace(/\s+/g, " ");
    if (labels[text] !== undefined) root.nodeValue = root.nodeValue.replace(/\S[\s\S]*\S|\S/, () => labels[text]);
    return;
  }
  for (const name of ATTRIBUTES) {
    const told = labels[root.getAttribute?.(name)];
    if (told !== undefined) root.setAttribute(name, told);
  }
  for (const child of [...root.childNodes, ...(root.content?.childNodes ?? [])]) translate(child, labels);
}
