/**
 * Colours for code: words of a language marked by what they are, as nodes.
 *
 * Knows: the highlighter's tree of scopes, which names mean which language. Knows nothing of: colours.
 */

const LANGUAGES = {
  bash: ["sh", "shell", "zsh", "console"],
  c: ["h"],
  cpp: ["c++", "cc", "hpp"],
  csharp: ["c#", "cs"],
  css: [],
  diff: ["patch"],
  dockerfile: ["docker"],
  go: ["golang"],
  ini: ["toml"],
  java: [],
  javascript: ["js", "jsx", "mjs", "node"],
  json: ["jsonc"],
  kotlin: ["kt"],
  makefile: ["make"],
  markdown: ["md"],
  php: [],
  python: ["py", "python3"],
  ruby: ["rb"],
  rust: ["rs"],
  sql: [],
  swift: [],
  typescript: ["ts", "tsx"],
  xml: ["html", "svg"],
  yaml: ["yml"],
};
const NAMES = new Map(Object.entries(LANGUAGES).flatMap(([name, others]) => [name, ...others].map((one) => [one, name])));

/** Longer code stays plain: marking it would hold up the page. */
const LIMIT_CHARACTERS = 60_000;

/** Return the language's own name, or null for one that is not known. */
export const languageOf = (name) => NAMES.get(name.trim().split(/\s/, 1)[0].toLowerCase()) ?? null;

/** Return `paint(element, name)`; `load(language)` resolves to the highlighter once it knows the language. */
export function painter({ load, document }) {
  return async function paint(element, name) {
    const language = languageOf(name);
    const source = element.textContent;
    if (language === null || source.length > LIMIT_CHARACTERS) return;
    const highlighter = await load(language);
    if (element.textContent !== source) return;
    const { _emitter: emitter } = highlighter.highlight(source, { language, ignoreIllegals: true });
    element.replaceChildren(...emitter.rootNode.children.map(build));
  };

  function build(part) {
    if (typeof part === "string") return document.createTextNode(part);
    const node = document.createElement("span");
    const scope = /^[a-z]+/.exec(part.scope ?? "")?.[0];
    if (scope !== undefined) node.setAttribute("class", `hl-${scope}`);
    node.append(...part.children.map(build));
    return node;
  }
}
