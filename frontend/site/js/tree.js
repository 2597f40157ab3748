/**
 * A chat as a tree of messages: regenerating or editing adds a sibling, nothing is overwritten.
 *
 * Knows: `messages` (each with `id` and `parent`) and `leaf`, the end of the path on show.
 * Knows nothing of: storage, streams, the page.
 */

/** Return the messages on show, first to last. */
export function path(chat) {
  const byId = new Map(chat.messages.map((message) => [message.id, message]));
  const shown = [];
  for (let at = byId.get(chat.leaf); at !== undefined; at = byId.get(at.parent)) {
    shown.push(at);
    byId.delete(at.id); // A damaged record may hold a cycle; a message is shown once.
  }
  return shown.reverse();
}

/** Return all alternatives by position: the messages of one role that follow the same message, oldest first. */
export function families(chat) {
  const found = new Map();
  for (const message of chat.messages) {
    const position = positionOf(message);
    if (found.has(position)) found.get(position).push(message);
    else found.set(position, [message]);
  }
  return found;
}

/** Return the key of a message in `families`. */
export const positionOf = (message) => `${message.role} after ${message.parent}`;

/** Append a message under `parent` (the end of the path unless told) and show it. Returns the stored one. */
export function add(chat, message, parent = chat.leaf) {
  chat.messages.push({ ...message, parent });
  chat.leaf = message.id;
  return chat.messages.at(-1);
}

/** Show the path through `message`, down its newest children. */
export function show(chat, message) {
  let at = message;
  for (let next = at; next !== undefined; ) {
    at = next;
    next = chat.messages.findLast((child) => child.parent === at.id);
  }
  chat.leaf = at.id;
}

/** Take a childless message out; its parent becomes the end of the path if it was. */
export function drop(chat, message) {
  chat.messages = chat.messages.filter((other) => other.id !== message.id);
  // Remembered, so that a record another tab wrote earlier does not bring it back.
  chat.dropped = [...(chat.dropped ?? []), message.id];
  if (chat.leaf === message.id) chat.leaf = message.parent;
}
