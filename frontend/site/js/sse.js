/**
 * Server-sent events, from bytes to events.
 *
 * Knows: the event stream format of the HTML standard, comments included.
 * Knows nothing of: what an event means, or who sent it.
 */

/**
 * Return a parser to feed with text; it keeps what is not complete yet.
 *
 * Shape: an event is {event, data, id}; a comment line is {comment}.
 */
export function createParser() {
  let rest = "";
  let started = false;
  let event = "";
  let id = "";
  let data = [];

  function readLine(line, out) {
    if (line === "") {
      if (data.length > 0) out.push({ event: event || "message", data: data.join("\n"), id });
      event = "";
      data = [];
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) {
      out.push({ comment: line.slice(1).trim() });
      return;
    }
    const field = colon === -1 ? line : line.slice(0, colon);
    let value = colon === -1 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }

  return {
    /** Take more text and return the events it completes. */
    feed(text) {
      const out = [];
      if (!started && text !== "") {
        started = true;
        if (text.startsWith("\uFEFF")) text = text.slice(1);
      }
      rest += text;
      let from = 0;
      const breaks = /\r\n|\r|\n/g;
      for (let found = breaks.exec(rest); found !== null; found = breaks.exec(rest)) {
        // A carriage return at the very end may be half of a pair: wait for the next text.
        if (found[0] === "\r" && breaks.lastIndex === rest.length) break;
        readLine(rest.slice(from, found.index), out);
        from = breaks.lastIndex;
      }
      rest = rest.slice(from);
      return out;
    },
  };
}

/**
 * Yield the events of a byte stream as they arrive.
 *
 * Closes: the stream, however the reader leaves.
 */
export async function* readEvents(body) {
  const reader = body.getReader();
  // ignoreBOM keeps a byte order mark for the parser, which removes it in one place.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const parser = createParser();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield* parser.feed(decoder.decode(value, { stream: true }));
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
