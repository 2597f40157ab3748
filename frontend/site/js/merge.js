/**
 * Two records of one chat as one: what another tab, or a page that went away, knew and this one did not.
 *
 * Knows: messages by their ids. Knows nothing of: where records are kept.
 */
import { isRunning } from "./chat.js";

/** Put messages of another record into a chat: in the place of older copies, or behind what is there. */
export function adopt(chat, messages) {
  for (const message of messages) {
    const here = chat.messages.find((one) => one.id === message.id);
    if (here === undefined) chat.messages.push(message);
    else Object.assign(here, message);
  }
}

/** Return the messages of the stored record that this tab has never seen; an answer without a word is none. */
export function foreign(mine, old) {
  const known = new Set([...mine.messages.map((message) => message.id), ...(mine.dropped ?? [])]);
  return (old?.messages ?? []).filter((message) => !known.has(message.id));
}

/**
 * Return the stored record's messages that are further than this tab's copies of them, by id: answers that
 * another tab writes, which this one has only seen begin. Where this tab is the writer, it is never behind.
 */
export function ahead(mine, old) {
  const stored = new Map((old?.messages ?? []).map((message) => [message.id, message]));
  const found = mine.messages.map((message) => stored.get(message.id)).filter((theirs, index) => theirs && isFurther(theirs, mine.messages[index]));
  return new Map(found.map((message) => [message.id, message]));
}

function isFurther(theirs, ours) {
  // A stream of another name is another attempt, not more of the same.
  const isSame = theirs.stream && (theirs.stream === ours.stream || (!ours.stream && ours.text === ""));
  if (!isSame || !isRunning(ours)) return false;
  const gain = (theirs.cursor ?? 0) - (ours.cursor ?? 0);
  return gain > 0 || (gain === 0 && !isRunning(theirs));
}

/** Return a record with what a page that went away knew better: new messages, and more of a running answer. */
export function grown(old, left) {
  const record = { ...old, messages: [...old.messages] };
  for (const message of left.messages) {
    const index = record.messages.findIndex((one) => one.id === message.id);
    if (index === -1) {
      record.messages.push(message);
      record.leaf = left.leaf;
    } else if (isRunning(record.messages[index]) && message.text.length >= record.messages[index].text.length) {
      record.messages[index] = message;
    }
  }
  return record;
}
