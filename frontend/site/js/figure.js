/**
 * Numbers as people read them.
 *
 * Knows nothing of: what they measure.
 */

/** Return the writers of numbers for one language. */
export function figures(locale) {
  const digits = (number) => new Intl.NumberFormat(locale, { minimumFractionDigits: number, maximumFractionDigits: number });
  const [whole, one, two] = [digits(0), digits(1), digits(2)];

  /** A time that is counted while one looks: "4 s", "2 min 5 s". */
  function wholeSeconds(value) {
    const rounded = Math.round(value);
    if (rounded < 60) return `${rounded} s`;
    const rest = rounded % 60;
    return `${Math.floor(rounded / 60)} min${rest === 0 ? "" : ` ${rest} s`}`;
  }

  return {
    /** 12345 -> "12,345". */
    count: (number) => whole.format(number),
    /** A measured time: "0.21 s", "1.2 s", "12 s", "2 min 5 s". */
    seconds: (value) => (value < 9.95 ? `${(value < 0.995 ? two : one).format(value)} s` : wholeSeconds(value)),
    wholeSeconds,
    /** A month: "October 2026". */
    month: (date) => new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" }).format(date),
    /** A rate: "8.4", "152". */
    rate: (value) => (value < 99.95 ? one.format(value) : whole.format(Math.round(value))),
    /** An amount of data: "3.4 GB", "12 MB". */
    bytes: (value) => (value >= 1e9 ? `${one.format(value / 1e9)} GB` : `${whole.format(value / 1e6)} MB`),
    /** A phrase for one or many: plural(1, "engine") -> "1 engine". */
    plural: (number, noun, nouns = `${noun}s`) => `${whole.format(number)} ${number === 1 ? noun : nouns}`,
  };
}

export const { count, seconds, wholeSeconds, rate, bytes, plural } = figures("en");
