/**
 * A scrolling area that stays at its end while text grows, until the reader scrolls up.
 *
 * Knows: one element's scroll geometry. Knows nothing of: what scrolls.
 */

/** Closer to the end than this counts as being there (fractional zoom never reaches it exactly). */
const NEAR_PIXELS = 40;

/**
 * Keep `element` at its end while `content` changes size and `isWanted()`. `onChange(isAtEnd)` hears
 * each change of mind.
 *
 * Returns {toEnd, stop}. toEnd() goes to the end and follows again.
 */
export function follow({ element, content, ResizeObserver, isWanted, onChange }) {
  let isFollowing = true;
  let last = element.scrollTop;

  const distance = () => element.scrollHeight - element.clientHeight - element.scrollTop;

  function decide(value) {
    if (value === isFollowing) return;
    isFollowing = value;
    onChange(value);
  }

  function scrolled() {
    // Only a move upwards is the reader's wish to stay; a move down near the end takes it back.
    if (distance() <= NEAR_PIXELS) decide(true);
    else if (element.scrollTop < last) decide(false);
    last = element.scrollTop;
  }

  function jump() {
    element.scrollTop = element.scrollHeight;
    last = element.scrollTop;
  }

  const observer = new ResizeObserver(() => {
    if (isFollowing && isWanted()) jump();
  });
  observer.observe(content);
  observer.observe(element);
  element.addEventListener("scroll", scrolled, { passive: true });

  return {
    toEnd() {
      decide(true);
      jump();
    },
    stop() {
      observer.disconnect();
      element.removeEventListener("scroll", scrolled);
    },
  };
}
