/**
 * The part of the window that a keyboard on the screen leaves free, where the browser lays the keyboard over the page.
 *
 * Knows: the visual viewport, the style sheet's `--visible`. Knows nothing of: what is laid out in it.
 */

/** Bars of the browser come and go and take less; a keyboard takes more. */
const KEYBOARD_PIXELS = 120;

/** Keep `--visible` on `root` while a keyboard covers the page. */
export function keyboard({ visualViewport, window, root }) {
  if (!visualViewport) return;
  const fit = () => {
    const covered = window.innerHeight - visualViewport.height;
    // A page that was zoomed in by hand shows less, too.
    const isKeyboard = covered > KEYBOARD_PIXELS && Math.abs(visualViewport.scale - 1) < 0.01;
    if (isKeyboard) root.style.setProperty("--visible", `${Math.round(visualViewport.height)}px`);
    else root.style.removeProperty("--visible");
    // The browser moves the page to show the focused box; it is shown already.
    if (isKeyboard) window.scrollTo(0, 0);
  };
  visualViewport.addEventListener("resize", fit);
}
