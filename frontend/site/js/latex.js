/**
 * LaTeX in Markdown: $…$, $$…$$, \(…\) and \[…\] become tokens of the parser.
 *
 * A dollar is money unless it hugs its formula on both sides and no digit follows the closing one.
 *
 * Knows: the delimiters, the parser's form of an extension. Knows nothing of: formulas, nodes.
 */

const DISPLAY = /^(?:\$\$([^$]+?)\$\$|\\\[([\s\S]+?)\\\])/;
const INLINE = /^(?:\$(?![\s$])((?:\\.|[^\\$\n])+?)(?<![\s\\])\$(?!\d)|\\\(([\s\S]+?)\\\))/;
const START = /\$|\\\(|\\\[/;

const token = (found) => found && { type: "math", raw: found[0], text: found[0] };

/** The extensions for the parser: display formulas also start a block of their own. */
export const latex = [
  {
    name: "mathBlock",
    level: "block",
    start: (source) => source.match(/\n(?:\$\$|\\\[)/)?.index,
    tokenizer(source) {
      const found = /^(?:\$\$[^$]+?\$\$|\\\[[\s\S]+?\\\])(?=[ \t]*(?:\n|$))/.exec(source);
      return found ? { type: "paragraph", raw: found[0], text: found[0], tokens: [token(found)] } : undefined;
    },
  },
  {
    name: "math",
    level: "inline",
    start: (source) => source.match(START)?.index,
    tokenizer: (source) => token(DISPLAY.exec(source) ?? INLINE.exec(source)) ?? undefined,
  },
];

/** Return {tex, isDisplay} of a token's text. */
export function readMath(raw) {
  const found = DISPLAY.exec(raw) ?? INLINE.exec(raw);
  if (found === null) return { tex: raw, isDisplay: false };
  return { tex: found[1] ?? found[2], isDisplay: raw.startsWith("$$") || raw.startsWith("\\[") };
}

/** Everything a formula may consist of; the sanitizer enforces it. */
export const MATH_ELEMENTS = [
  "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "merror", "mpadded",
  "mphantom", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts", "none",
  "mtable", "mtr", "mtd", "menclose",
];
export const MATH_ATTRIBUTES = [
  "display", "displaystyle", "scriptlevel", "mathvariant", "mathcolor", "mathbackground", "mathsize", "stretchy", "fence",
  "separator", "lspace", "rspace", "minsize", "maxsize", "accent", "accentunder", "movablelimits", "symmetric", "largeop",
  "linethickness", "width", "height", "depth", "voffset", "columnalign", "columnspacing", "rowspacing", "columnlines",
  "rowlines", "notation", "encoding", "form",
];

/**
 * Return `typeset(element)`: the element's LaTeX source becomes a formula, once the library is there.
 * A formula the library does not understand stays as it was written.
 *
 * MathML alone: the library's other output needs inline styles, which the page's policy forbids.
 */
export function typesetter({ load, sanitize, document }) {
  return async function typeset(element) {
    const source = element.textContent;
    const { tex, isDisplay } = readMath(source);
    const katex = await load();
    if (element.textContent !== source) return;
    const holder = document.createElement("span");
    try {
      katex.render(tex, holder, { output: "mathml", displayMode: isDisplay, trust: false, strict: "ignore", maxExpand: 300, maxSize: 20 });
    } catch {
      return;
    }
    const math = holder.querySelector("math");
    const meant = math?.querySelector("semantics");
    // The source within the formula would be read aloud beside it.
    if (meant) math.replaceChildren(meant.firstElementChild);
    if (math === null) return;
    element.replaceChildren(sanitize(math));
    element.setAttribute("class", isDisplay ? "math set display" : "math set");
  };
}
