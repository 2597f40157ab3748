/**
 * A conversation of ChatGPT's own export: nodes by id, each with its parent, as a chat in our form.
 *
 * What is no text of a person or of the assistant (calls of tools, hidden instructions, pictures) is left
 * out; what followed it follows what was before it.
 *
 * Knows: that form. Knows nothing of: which fields of ours are to be trusted (archive.js rebuilds them).
 */

const KEPT = ["user", "assistant"];

/** Return the chat of such a record, or the record itself when it is none. */
export function fromMapping(data) {
  const nodes = data?.mapping;
  if (typeof nodes !== "object" || nodes === null || Array.isArray(data.messages)) return data;
  const said = new Map();
  for (const [id, node] of Object.entries(nodes)) {
    const role = node?.message?.author?.role;
    const text = textOf(node?.message?.content);
    if (KEPT.includes(role) && text.trim() !== "") said.set(id, { id, role, text, at: milliseconds(node.message.create_time) });
  }
  const nearest = (start, own = null) => {
    const seen = new Set([own]);
    for (let at = start; typeof at === "string" && !seen.has(at); at = nodes[at]?.parent) {
      if (said.has(at)) return at;
      seen.add(at);
    }
    return null;
  };
  const messages = [...said.values()].map((message) => ({ ...message, parent: nearest(nodes[message.id].parent, message.id) }));
  messages.sort((one, other) => (one.at ?? 0) - (other.at ?? 0));
  return { id: data.conversation_id ?? data.id, title: data.title, updated: milliseconds(data.update_time), messages, leaf: nearest(data.current_node) };
}

const textOf = (content) => (Array.isArray(content?.parts) ? content.parts.filter((part) => typeof part === "string").join("\n\n") : "");
const milliseconds = (seconds) => (Number.isFinite(seconds) ? seconds * 1000 : null);
