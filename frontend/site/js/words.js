/**
 * What the page says, apart from the fixed labels in index.html: made of one table of strings per language.
 *
 * Knows: which facts a sentence needs. Knows nothing of: any language but through its table.
 */
import { figures } from "./figure.js";
import { table } from "./words-en.js";

/** Put values into a string: fill("{a} of {b}", {a: 1, b: 2}) -> "1 of 2". */
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

/** Join what there is to say. */
const line = (...parts) => parts.filter(Boolean).join(" · ");

/** Return the words of a language from its table; `locale` decides how numbers look. */
export function vocabulary(strings, locale) {
  const { bytes, count, month, plural, rate, seconds, wholeSeconds } = figures(locale);
  // One or many, as the table has them: [one, many].
  const many = (number, name) => plural(number, ...strings.nouns[name]);
  const inUse = (used) => (used > 0 ? fill(strings.inUse, { used: count(used) }) : "");
  return {
    ...strings,
    month,
    look: (choice) => strings.looks[choice],
    image: (text) => (text === "" ? strings.image : `${strings.image}: ${text}`),
    phase: (phase) => strings.phases[phase] ?? phase,
    advice: (code) => strings.advice[code] ?? strings.tryAgainLong,
    /** What went wrong: the gateway's own words, or ours for what happened on the way to it. */
    problem: ({ code, message }) => strings.problems[code] ?? strings.happened[code] ?? message,
    problemDetail: ({ code, message, requestId }) =>
      line(strings.happened[code] && message, requestId && fill(strings.request, { id: requestId })),
    // The line beside the status: who is served, who waits.
    online: (engines) => fill(strings.online, { engines: many(engines, "engine") }),
    busy: (running, slots) => (slots > 0 ? ` · ${fill(strings.busy, { running: count(running), slots: many(slots, "slot") })}` : ""),
    waiting: (backlog) => ` · ${fill(strings.waiting, { backlog: count(backlog) })}`,
    sincePhase: (value) => fill(strings.soFar, { time: wholeSeconds(value) }),
    readyIn: (value) => fill(strings.readyIn, { time: wholeSeconds(value) }),
    download: ({ done, total, rate: speed, left }) =>
      line(
        total > 0 && fill(strings.downloaded, { done: bytes(done), total: bytes(total) }),
        speed > 0 && fill(strings.speed, { rate: bytes(speed) }),
        left !== null && fill(strings.aboutToGo, { time: wholeSeconds(left) }),
      ),
    demoNote: (id) => fill(strings.demoNote, { id }),
    modelNote: (id) => fill(strings.modelNote, { id }),
    place: (place, backlog) => fill(strings.place, { place: count(place), of: count(Math.max(place, backlog)) }),
    /** From the gateway's bracket in seconds: four of five waits end within it. */
    estimate: ({ low, high }) => {
      const [from, to] = [low, high].map((value) => wholeSeconds(Math.max(1, Math.round(value))));
      return from === to ? fill(strings.aboutToGo, { time: from }) : fill(strings.toGo, { from, to });
    },
    waited: (value) => fill(strings.waited, { time: wholeSeconds(value) }),
    tryAgainIn: (value) => fill(strings.tryAgainIn, { time: wholeSeconds(value) }),
    version: (at, of) => fill(strings.version, { at: count(at), of: count(of) }),
    /** Under an answer: exact figures from the gateway, nothing counted here. */
    facts: ({ usage, timings, contextWindow }) =>
      line(
        usage && many(usage.completion_tokens, "token"),
        timings?.tokens_per_second > 0 && fill(strings.rate, { rate: rate(timings.tokens_per_second) }),
        timings?.first_token_seconds != null && fill(strings.firstToken, { time: seconds(timings.first_token_seconds) }),
        timings?.wait_seconds >= 0.1 && fill(strings.hasWaited, { time: seconds(timings.wait_seconds) }),
        usage && contextWindow && fill(strings.context, { used: count(usage.total_tokens), of: count(contextWindow) }),
      ),
    deleted: (title) => fill(strings.deleted, { title }),
    notText: (name) => fill(strings.notText, { name }),
    fileTooLarge: (name) => fill(strings.fileTooLarge, { name }),
    notCounted: (name, why) => fill(strings.notCounted, { name, why }),
    overContext: ({ name, tokens, used, contextWindow }) =>
      fill(strings.overContext, { what: name ?? strings.thisQuestion, tokens: many(tokens, "token"), used: inUse(used), of: count(contextWindow) }),
    tokens: (value) => many(value, "token"),
    total: (tokens, of) => fill(strings.total, { tokens: many(tokens, "token"), of: count(of) }),
    fileNote: (name, tokens) => (tokens === null ? name : line(name, many(tokens, "token"))),
    dropFile: (name) => fill(strings.dropFile, { name }),
    imported: (added, known) =>
      fill(strings.imported, { chats: many(added, "chat") }) + (known > 0 ? fill(strings.known, { known: count(known) }) : ""),
    standard: (value) => (value === null ? strings.modelsOwn : String(value)),
    above: (low, high) => fill(strings.above, { low: count(low), high: count(high) }),
    between: (low, high) =>
      high === null ? fill(strings.atLeast, { low: count(low) }) : fill(strings.between, { low: count(low), high: count(high) }),
  };
}

export const english = vocabulary(table, "en");
