/**
 * The list of chats where it slides over the page: what lies behind is out of reach, the keyboard goes along.
 *
 * Knows: when the window is narrow, what to focus. Knows nothing of: what is in the list.
 */

/** As the style sheet has it. */
export const NARROW = "(max-width: 54rem)";

/** The list has to be visible before anything in it can be focused. */
const SOON_MS = 50;

/** Return `follow(isOpen)`; `narrow` is the media query's state, `focus(selector)` moves the keyboard there. */
export function drawer({ narrow, focus, hasFocus, setTimeout }) {
  let wasOpen = false;
  return (isOpen) => {
    const isNew = isOpen !== wasOpen;
    wasOpen = isOpen;
    if (!isNew || !narrow.matches) return;
    setTimeout(() => {
      if (!isOpen) focus(".bar .narrow-only");
      else if (!hasFocus(".shelf")) focus(".shelf-head .icon");
    }, SOON_MS);
  };
}
