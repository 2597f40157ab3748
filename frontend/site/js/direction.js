/**
 * Which way a text runs.
 *
 * Knows: scripts that run from right to left. Knows nothing of: nodes.
 */

/**
 * Return which way a list, a quotation or a table runs: as its first letter does. The browser's own
 * judgement leaves out what has a direction of its own, and every line in these has.
 */
export function directionOf(text) {
  const letter = /\p{L}/u.exec(text)?.[0] ?? "";
  return /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u.test(letter) ? "rtl" : "ltr";
}
