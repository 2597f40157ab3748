/**
 * The gateway's HTTP surface as the page uses it.
 *
 * Knows: /v1/chat/completions (streamed), /v1/streams, /v1/models, their events and errors.
 * Knows nothing of: chats on the page, storage, the document.
 */
import { Problem } from "./problem.js";
import { readEvents } from "./sse.js";

/** Heartbeats come every few seconds; a minute without any byte means the line is dead. */
const SILENCE_SECONDS = 60;

/** After a sleep a line that has said nothing for this long, two heartbeats, is not waited for any more. */
const DEAD_SECONDS = 30;

/** Between two tries to take up a lost stream; the last one again and again. */
const RETRY_SECONDS = [0.2, 1, 2, 4];

/** An ended stream can be read for ten minutes; after that there is nothing to come back to. */
const GIVE_UP_SECONDS = 600;

/**
 * Return the calls, bound to one `fetch`. Addresses are relative: the page and the API share an origin.
 * `headers()` gives what every request carries: the key and the session; a key is never in an address.
 */
export function gateway({ fetch, setTimeout, clearTimeout, now = Date.now, headers = () => ({}), silenceSeconds = SILENCE_SECONDS }) {
  // What to do when the machine comes back from sleep, or to the network: of each line and each pause.
  const wakers = new Set();

  /**
   * Yield what happens to one chat, in order; a lost connection is taken up again where it broke.
   *
   * Shape:  {kind: "stream", id} {kind: "progress", ...} {kind: "text", text, cursor} {kind: "finish", finish}
   *         {kind: "usage", usage, timings} {kind: "lost"} {kind: "found"} {kind: "stopped"}
   * Raises: Problem, for a refusal, an error frame, a cut or a silent stream; AbortError when `signal` fires.
   * Cancel: leaving the loop or `signal` closes the connection; `stopStream` frees the slot at once.
   */
  async function* streamChat(body, { signal }) {
    const ask = (line) =>
      fetch("v1/chat/completions", {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          Accept: "text/event-stream",
          "Paddock-Progress": "1",
          "Paddock-Resume": "1",
          ...headers(),
        },
        body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
        signal: line.signal,
      });
    const place = { id: null, cursor: 0 };
    yield* follow(place, ask, { signal });
  }

  /** Yield what happens to a stream behind `cursor`, as streamChat does. */
  async function* followStream({ id, cursor }, { signal }) {
    yield* follow({ id, cursor }, null, { signal });
  }

  async function* follow(place, ask, { signal }) {
    let request = ask ?? again(place);
    let tries = 0;
    let lostAt = null;
    for (;;) {
      try {
        for await (const event of read(place, request, signal)) {
          if (lostAt !== null) yield { kind: "found" };
          lostAt = null;
          tries = 0;
          yield event;
        }
        return;
      } catch (error) {
        if (!(error instanceof Problem) || !isLost(error) || place.id === null) throw error;
        if (lostAt === null) yield { kind: "lost" };
        lostAt ??= now();
        if (now() - lostAt > GIVE_UP_SECONDS * 1000) throw error;
      }
      await pause(RETRY_SECONDS[Math.min(tries, RETRY_SECONDS.length - 1)], signal);
      tries += 1;
      request = again(place);
    }
  }

  const again = (place) => (line) =>
    fetch(`v1/streams/${place.id}?after=${place.cursor}`, {
      headers: { Accept: "text/event-stream", ...headers() },
      signal: line.signal,
    });

  /** Read one connection to its end; `place` says afterwards how far it came. */
  async function* read(place, request, signal) {
    const line = new AbortController();
    let isAnswered = false;
    // Before the head has come nobody knows which stream to stop: the line stays open to learn it.
    const hangUp = () => (isAnswered || place.id !== null) && line.abort();
    signal.addEventListener("abort", hangUp);
    let isSilent = false;
    let timer = null;
    let heardAt = now();
    const drop = () => {
      isSilent = true;
      line.abort();
    };
    const heard = () => {
      heardAt = now();
      clearTimeout(timer);
      timer = setTimeout(drop, silenceSeconds * 1000);
    };
    // The other side may have hung up while nothing here ran; then nobody would ever say so.
    const waken = () => now() - heardAt > DEAD_SECONDS * 1000 && drop();
    wakers.add(waken);
    try {
      if (signal.aborted) throw stopped();
      heard();
      const asked = request(line);
      const response = await unlessStopped(asked, signal, line);
      isAnswered = true;
      if (response.status === 204) {
        // The stream ended without its last frame: someone stopped it, here or in another tab.
        yield { kind: "stopped" };
        return;
      }
      if (!response.ok) throw await Problem.fromResponse(response);
      const id = response.headers.get("paddock-stream");
      place.id = id ?? place.id;
      if (place.id !== null) yield { kind: "stream", id: place.id };
      for await (const frame of readEvents(response.body)) {
        heard();
        if (frame.comment !== undefined) continue;
        const cursor = Number(frame.id || place.cursor);
        if (cursor > 0 && cursor <= place.cursor) continue;
        place.cursor = cursor;
        if (frame.data === "[DONE]") return;
        for (const event of translate(frame)) yield cursor > 0 ? { ...event, cursor } : event;
      }
      throw cutOff();
    } catch (error) {
      if (signal.aborted) throw stopped();
      if (error instanceof Problem) throw error;
      if (isSilent) throw new Problem({ code: "silent", message: "The gateway has gone quiet." });
      throw new Problem({ code: "unreachable", message: "The gateway cannot be reached." });
    } finally {
      clearTimeout(timer);
      wakers.delete(waken);
      signal.removeEventListener("abort", hangUp);
    }
  }

  /** Wait for a response's head, or for the stop: then the stream it became is stopped in the background. */
  function unlessStopped(asked, signal, line) {
    return new Promise((resolve, reject) => {
      const leave = () => {
        asked
          .then((response) => {
            const id = response.headers.get("paddock-stream");
            return id === null ? null : stopStream(id);
          })
          .catch(() => null)
          .finally(() => line.abort());
        reject(stopped());
      };
      signal.addEventListener("abort", leave);
      asked.then(resolve, reject).finally(() => signal.removeEventListener("abort", leave));
    });
  }

  function pause(seconds, signal) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(done, seconds * 1000);
      wakers.add(done);
      function done() {
        clearTimeout(timer);
        wakers.delete(done);
        signal.removeEventListener("abort", leave);
        resolve();
      }
      function leave() {
        clearTimeout(timer);
        wakers.delete(done);
        reject(stopped());
      }
      signal.addEventListener("abort", leave, { once: true });
      if (signal.aborted) leave();
    });
  }

  /** Stop a stream. Returns whether the gateway says that its slot is free. */
  async function stopStream(id) {
    try {
      const response = await fetch(`v1/streams/${id}`, { method: "DELETE", headers: headers(), keepalive: true });
      return response.status === 204;
    } catch {
      return false;
    }
  }

  /** Return the served model's entry of /v1/models, or null when there is none. */
  async function fetchModel() {
    const response = await fetch("v1/models", { headers: { Accept: "application/json", ...headers() } });
    if (!response.ok) throw await Problem.fromResponse(response);
    return (await response.json()).data?.[0] ?? null;
  }

  /** The machine is back: give up lines that died meanwhile, and try again at once. */
  const wake = () => [...wakers].forEach((waken) => waken());

  return { streamChat, followStream, stopStream, fetchModel, wake };
}

/** Whether the stream behind a failed connection may still be there. */
function isLost({ code, status }) {
  return status === null ? ["unreachable", "silent", "cut_off"].includes(code) : status >= 500;
}

const stopped = () => Object.assign(new Error("stopped"), { name: "AbortError" });

function cutOff() {
  return new Problem({ code: "cut_off", message: "The connection closed before the answer was complete." });
}

/** Turn one frame into what it says; a frame that is not understood ends the answer as broken. */
function* translate(frame) {
  let said;
  try {
    said = JSON.parse(frame.data);
  } catch {
    throw new Problem({ code: "cut_off", status: 200, message: "The gateway sent something that is not an answer." });
  }
  if (said.error) throw Problem.fromEnvelope(said.error);
  if (frame.event === "progress") {
    yield { kind: "progress", ...said };
    return;
  }
  if (frame.event !== "message") return;
  const choice = said.choices?.[0];
  if (choice?.delta?.content) yield { kind: "text", text: choice.delta.content };
  if (choice?.finish_reason) yield { kind: "finish", finish: choice.finish_reason };
  if (said.usage) yield { kind: "usage", usage: said.usage, timings: said.timings ?? null };
}
