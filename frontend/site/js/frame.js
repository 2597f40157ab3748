/**
 * The next frame, or soon without one.
 *
 * Frames stop in a hidden tab, and on a busy machine; an answer must go on being written down there.
 *
 * Knows: the browser's frames and timers. Knows nothing of: what is drawn.
 */

/** Longer than any frame that still comes. */
const LATE_MS = 250;

/** Return `frame(callback)`: one call, before the next paint where there is one. */
export function nextFrame({ requestAnimationFrame, cancelAnimationFrame, setTimeout, clearTimeout }) {
  return function frame(callback) {
    const run = () => {
      cancelAnimationFrame(soon);
      clearTimeout(late);
      callback();
    };
    const soon = requestAnimationFrame(run);
    const late = setTimeout(run, LATE_MS);
  };
}
