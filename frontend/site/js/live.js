/**
 * What is true of the service now: engine phase, backlog, slots, the served model.
 *
 * Knows: the fields of /stats and of a /v1/models entry. Knows nothing of: how they arrive, how they look.
 */

/** A clock that ticks each second has slept when it misses this much. */
const SLEEP_SECONDS = 10;

/** Return the state and its moves. `now` is wall time in milliseconds. */
export function live({ now }) {
  return {
    /** Ticks once a second, so that countdowns and waits are drawn anew. */
    now: now(),
    isReached: true,
    phase: null,
    phaseSince: now(),
    reason: null,
    backlog: 0,
    engines: 0,
    running: 0,
    slots: 0,
    tokensPerSecond: 0,
    model: null,
    /** How far the download is, and how long until an engine is ready; null where nobody knows. */
    download: null,
    readyIn: null,

    applyStats(stats) {
      this.isReached = true;
      this.phase = stats.phase;
      this.phaseSince = now() - (stats.phase_seconds ?? 0) * 1000;
      this.reason = stats.reason ?? null;
      this.backlog = stats.backlog ?? 0;
      this.engines = stats.num_total_runners ?? 0;
      this.running = stats.running ?? 0;
      this.slots = stats.slots ?? 0;
      this.tokensPerSecond = stats.tokens_per_second ?? 0;
      this.readyIn = stats.ready_seconds || null;
      const { phase = null, bytes_done: done, bytes_total: total, bytes_per_second: rate, seconds_left: left, error } = stats.download ?? {};
      // One that is complete is the engine's business from then on.
      const isUnderWay = phase !== null && phase !== "complete";
      this.download = isUnderWay ? { phase, done, total, rate, left: left ?? null, why: error?.message ?? null } : null;
    },

    applyModel(entry) {
      if (entry === null) return;
      this.model = {
        id: entry.id,
        isDemo: entry.demo === true,
        contextWindow: entry.context_window ?? null,
        maxOutputTokens: entry.max_output_tokens ?? null,
        defaults: { temperature: entry.defaults?.temperature ?? null, top_p: entry.defaults?.top_p ?? null },
      };
    },

    /** Nobody answers: what was known is no longer. */
    lose() {
      this.isReached = false;
    },

    /** Returns whether so much time has passed that the machine must have slept. */
    tick() {
      const before = this.now;
      this.now = now();
      return this.now - before > SLEEP_SECONDS * 1000;
    },
  };
}
