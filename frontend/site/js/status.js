/**
 * The line about the service: which model, which phase, how busy.
 *
 * Knows: live facts. Knows nothing of: how they arrive.
 */

/** Return the component factory. */
export function status({ live, panels, words }) {
  return () => ({
    get modelName() {
      return live.model?.id ?? "";
    },
    get hasModel() {
      return live.model !== null;
    },
    get isDemo() {
      return live.model?.isDemo === true;
    },
    get phaseLabel() {
      if (!live.isReached) return words.unreached;
      return live.phase === null ? words.connecting : words.phase(live.phase);
    },
    get dotClass() {
      if (!live.isReached) return "dot lost";
      return `dot ${live.phase ?? "unknown"}`;
    },
    // How busy it is, in parts: a narrow page leaves the slots out.
    get isTold() {
      return live.isReached && live.phase !== null;
    },
    get enginesLabel() {
      return this.isTold ? words.online(live.engines) : "";
    },
    get slotsLabel() {
      return this.isTold ? words.busy(live.running, live.slots) : "";
    },
    get waitingLabel() {
      return this.isTold ? words.waiting(live.backlog) : "";
    },

    /** The banner: shown as long as a question could not be answered at once. */
    get isBannerShown() {
      return !live.isReached || (live.phase !== null && live.phase !== "ready");
    },
    get bannerText() {
      if (!live.isReached) return words.unreachedLong;
      if (live.download !== null) return words.downloads[live.download.phase] ?? "";
      return words.notReady[live.phase] ?? "";
    },
    get bannerDetail() {
      if (!live.isReached || live.phase === null || live.phase === "ready") return "";
      if (live.download !== null) return live.download.why ?? words.download(live.download);
      if (live.phase === "failed") return live.reason ?? "";
      if (live.readyIn !== null) return words.readyIn(live.readyIn);
      return words.sincePhase(Math.max(0, (live.now - live.phaseSince) / 1000));
    },
    get bannerClass() {
      const isBad = live.phase === "failed" || ["failed", "stopped"].includes(live.download?.phase);
      return isBad || !live.isReached ? "banner bad" : "banner";
    },
    /** How much of the model is here, for a bar; without a download there is none. */
    get hasBar() {
      return this.isBannerShown && live.download?.total > 0;
    },
    get barValue() {
      return this.hasBar ? live.download.done : 0;
    },
    get barTotal() {
      return this.hasBar ? live.download.total : 1;
    },

    openMore() {
      panels.isMoreOpen = true;
    },
    openShelf() {
      panels.isShelfOpen = true;
    },
    openSettings() {
      panels.isSettingsOpen = true;
    },
  });
}
