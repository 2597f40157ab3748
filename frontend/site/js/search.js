/**
 * Whether a chat has all words of a search, and where.
 *
 * Knows: a chat's title and messages. Knows nothing of: storage, the list.
 */

/** So much of a message is shown around what was found. */
const BEFORE_CHARACTERS = 24;
const AFTER_CHARACTERS = 60;

/** Return the words of a search. */
export const wordsOf = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

/**
 * Return where a chat has the words: {before, match, after} of the first message with the first of them, all
 * empty when the title has it, or null when a word is nowhere.
 */
export function find(chat, words) {
  const texts = chat.messages.map((message) => message.text ?? "");
  const said = [chat.title, ...texts].join("\n").toLowerCase();
  if (!words.every((word) => said.includes(word))) return null;
  // The word that the title does not have is the one to be shown.
  const word = words.find((one) => !chat.title.toLowerCase().includes(one));
  const text = word === undefined ? "" : (texts.find((one) => one.toLowerCase().includes(word)) ?? "");
  return excerpt(text, word ?? "");
}

function excerpt(text, word) {
  const plain = text.replace(/\s+/g, " ");
  const at = word === "" ? -1 : plain.toLowerCase().indexOf(word);
  if (at === -1) return { before: "", match: "", after: "" };
  const from = Math.max(0, at - BEFORE_CHARACTERS);
  return {
    before: `${from > 0 ? "…" : ""}${plain.slice(from, at)}`,
    match: plain.slice(at, at + word.length),
    after: plain.slice(at + word.length, at + word.length + AFTER_CHARACTERS),
  };
}
