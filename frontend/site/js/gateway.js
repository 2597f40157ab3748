/**
 * The gateway's HTTP surface as the page uses it.
 *
 * Knows: /v1/chat/completions (streamed), /v1/models, their events and errors.
 * Knows nothing of: chats on the page, storage, the document.
 */
import { Problem } from "./problem.js";
import { readEvents } from "./sse.js";

/** Heartbeats come every few seconds; a minute without any byte means the line is dead. */
const SILENCE_SECONDS = 60;

/** Return the calls, bound to one `fetch`. Addresses are relative: the page and the API share an origin. */
export function gateway({ fetch, setTimeout, clearTimeout, silenceSeconds = SILENCE_SECONDS }) {
  /**
   * Yield what happens to one chat, in order.
   *
   * Shape:  {kind: "progress", ...} {kind: "text", text} {kind: "finish", finish} {kind: "usage", usage, timings}
   * Raises: Problem, for a refusal, an error frame, a cut or a silent stream; AbortError when `signal` fires.
   * Cancel: leaving the loop or `signal` closes the connection, which frees the slot.
   */
  async function* streamChat(body, { signal }) {
    const line = new AbortController();
    const hangUp = () => line.abort();
    signal.addEventListener("abort", hangUp);
    let isSilent = false;
    let timer = null;
    const heard = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        isSilent = true;
        line.abort();
      }, silenceSeconds * 1000);
    };
    try {
      if (signal.aborted) hangUp();
      heard();
      const response = await fetch("v1/chat/completions", {
        method: "POST",
        headers: { "Content-Type": "application/json", Accept: "text/event-stream", "Paddock-Progress": "1" },
        body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
        signal: line.signal,
      });
      if (!response.ok) throw await Problem.fromResponse(response);
      let isDone = false;
      for await (const frame of readEvents(response.body)) {
        heard();
        if (frame.comment !== undefined) continue;
        if (frame.data === "[DONE]") {
          isDone = true;
          break;
        }
        yield* translate(frame);
      }
      if (!isDone) throw cutOff();
    } catch (error) {
      if (signal.aborted) throw Object.assign(new Error("stopped"), { name: "AbortError" });
      if (error instanceof Problem) throw error;
      if (isSilent) throw new Problem({ code: "silent", message: "The gateway has gone quiet." });
      throw new Problem({ code: "unreachable", message: "The gateway cannot be reached." });
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", hangUp);
    }
  }

  /** Return the served model's entry of /v1/models, or null when there is none. */
  async function fetchModel() {
    const response = await fetch("v1/models", { headers: { Accept: "application/json" } });
    if (!response.ok) throw await Problem.fromResponse(response);
    return (await response.json()).data?.[0] ?? null;
  }

  return { streamChat, fetchModel };
}

function cutOff() {
  return new Problem({ code: "cut_off", message: "The connection closed before the answer was complete." });
}

/** Turn one frame into what it says; a frame that is not understood ends the answer as broken. */
function* translate(frame) {
  let said;
  try {
    said = JSON.parse(frame.data);
  } catch {
    throw new Problem({ code: "cut_off", message: "The gateway sent something that is not an answer." });
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
