/**
 * A page whose scripts did not all come loads itself again.
 *
 * A browser gives up every request under way when the machine's network changes (a cable, a VPN, a virtual
 * interface of a container), loopback included; one missing module would leave a blank page. No module itself,
 * so that it runs whatever happens to those.
 */
(() => {
  const KEY = "paddock.starts";
  const LIMIT = 3;
  let isAsked = false;
  const again = (event) => {
    if (isAsked || !(event.target instanceof HTMLScriptElement || event.target instanceof HTMLLinkElement)) return;
    try {
      const starts = Number(sessionStorage.getItem(KEY) ?? 0);
      if (starts >= LIMIT) return;
      sessionStorage.setItem(KEY, String(starts + 1));
      isAsked = true;
      setTimeout(() => location.reload(), 200 * 3 ** starts);
    } catch {
      // Without storage nobody could count; the page says by itself that it did not start.
    }
  };
  window.addEventListener("error", again, true);
})();
