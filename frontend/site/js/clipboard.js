/**
 * Copying text, on https, loopback and plain-http addresses alike.
 *
 * Knows: that `navigator.clipboard` exists in secure contexts only. Knows nothing of: what is copied.
 */

/** Return `copy(text)`, resolving to whether it worked. */
export function clipboard({ navigator, document }) {
  return async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return copyBySelection(text, document);
    }
  };
}

/** The old way: select a text area off screen and ask the browser to copy the selection. */
function copyBySelection(text, document) {
  const focused = document.activeElement;
  const area = document.createElement("textarea");
  area.value = text;
  area.readOnly = true;
  area.className = "offscreen exact";
  area.setAttribute("aria-hidden", "true");
  (focused?.closest?.("dialog") ?? document.body).append(area);
  try {
    area.select();
    return document.execCommand("copy");
  } finally {
    area.remove();
    focused?.focus?.();
  }
}
