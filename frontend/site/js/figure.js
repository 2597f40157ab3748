/**
 * Numbers as people read them.
 *
 * Knows nothing of: what they measure.
 */

const whole = new Intl.NumberFormat("en");

/** 12345 -> "12,345". */
export const count = (number) => whole.format(number);

/** A measured time: "0.21 s", "1.2 s", "12 s", "2 min 5 s". */
export function seconds(value) {
  return value < 9.95 ? `${value.toFixed(value < 0.995 ? 2 : 1)} s` : wholeSeconds(value);
}

/** A time that is counted while one looks: "4 s", "2 min 5 s". */
export function wholeSeconds(value) {
  const rounded = Math.round(value);
  if (rounded < 60) return `${rounded} s`;
  const rest = rounded % 60;
  return `${Math.floor(rounded / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
}

/** A rate: "8.4", "152". */
export const rate = (value) => (value < 99.95 ? value.toFixed(1) : whole.format(Math.round(value)));

/** A phrase for one or many: plural(1, "engine") -> "1 engine". */
export const plural = (number, noun) => `${whole.format(number)} ${noun}${number === 1 ? "" : "s"}`;
