/**
 * A text box that grows with its text, where the style sheet alone cannot make it (`field-sizing`).
 *
 * Knows: a text area's heights. Knows nothing of: whose text it is.
 */

/** Return the `x-grow` directive: its expression names the text; nothing is done when `isNative`. */
export function grow({ isNative }) {
  return (element, { expression }, { evaluateLater, effect }) => {
    if (isNative) return;
    const read = evaluateLater(expression);
    effect(() => read(() => queueMicrotask(() => fit(element))));
  };
}

/** Give the element the height of its text; the style sheet limits it. */
export function fit(element) {
  element.style.height = "auto";
  element.style.height = `${element.scrollHeight}px`;
}
