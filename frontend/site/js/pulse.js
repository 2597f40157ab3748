/**
 * The service's news: pushed by /stats/stream, asked for at /stats when the push fails.
 *
 * A browser allows six connections to a plain-http origin for all its tabs together, so a hidden
 * tab gives its push back; otherwise the seventh tab could not even send a question.
 *
 * Knows: both addresses, when to use which. Knows nothing of: what the numbers mean.
 */

/** Between two questions while the push is down. */
const POLL_SECONDS = 4;

/** Return {start, stop}. `onStats` gets each parsed object, `onLost` is called when nobody answers. */
export function pulse({ EventSource, fetch, document, setTimeout, clearTimeout, onStats, onLost }) {
  let push = null;
  let timer = null;
  let isAsking = false;

  function listen() {
    push = new EventSource("stats/stream");
    push.onmessage = (event) => {
      rest();
      onStats(JSON.parse(event.data));
    };
    // The browser tries again by itself unless the answer was not a stream: then it closes for good.
    push.onerror = () => poll();
  }

  function rest() {
    clearTimeout(timer);
    timer = null;
  }

  async function poll() {
    if (timer !== null || isAsking || document.hidden) return;
    isAsking = true;
    try {
      const response = await fetch("stats", { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`status ${response.status}`);
      onStats(await response.json());
    } catch {
      onLost();
    } finally {
      isAsking = false;
    }
    if (push === null) return;
    timer = setTimeout(() => {
      timer = null;
      if (push?.readyState === EventSource.CLOSED) {
        push.close();
        listen();
      }
      if (push?.readyState !== EventSource.OPEN) poll();
    }, POLL_SECONDS * 1000);
  }

  function hush() {
    rest();
    push?.close();
    push = null;
  }

  function follow() {
    if (document.hidden) hush();
    else if (push === null) listen();
  }

  return {
    start() {
      document.addEventListener("visibilitychange", follow);
      follow();
    },
    stop() {
      document.removeEventListener("visibilitychange", follow);
      hush();
    },
  };
}
