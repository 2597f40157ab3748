/**
 * The API key of a gateway that wants one, and the name under which the queue knows this browser.
 *
 * The key stays for the session, or on the device when chosen; it travels in a header, never in an address.
 *
 * Knows: where both are kept. Knows nothing of: requests, the document.
 */

const KEY = "paddock.key";
const SESSION = "paddock.session";

/** Return the state and its moves. */
export function keyring({ device, session, newId }) {
  const read = (area) => area.getItem(KEY) ?? "";
  return {
    key: read(session) || read(device),
    isOnDevice: read(device) !== "",
    /** Whether the gateway asked for a key, or refused the one it got. */
    isAsked: false,
    isRefused: false,

    /** Return the headers of every request. */
    headers() {
      let name = device.getItem(SESSION);
      if (name === null) {
        name = newId();
        try {
          device.setItem(SESSION, name);
        } catch {
          // A full storage: then the queue takes each request for another browser's.
        }
      }
      return { "Paddock-Session": name, ...(this.key === "" ? {} : { Authorization: `Bearer ${this.key}` }) };
    },

    /** The gateway answered 401. */
    ask() {
      this.isRefused = this.key !== "";
      this.isAsked = true;
    },

    use(key, isOnDevice) {
      this.key = key.trim();
      this.isOnDevice = isOnDevice;
      this.isAsked = false;
      session.removeItem(KEY);
      device.removeItem(KEY);
      if (this.key !== "") (isOnDevice ? device : session).setItem(KEY, this.key);
    },

    close() {
      this.isAsked = false;
    },
  };
}

/** Return the factory of the dialog that asks for the key; `onKey` is called when there is a new one. */
export function keyDialog({ keys, words, onKey }) {
  return () => ({
    typed: "",
    isKept: false,

    init() {
      this.$watch("isOpen", (isOpen) => (isOpen ? this.show() : this.$refs.keyDialog.close()));
      if (this.isOpen) this.show();
    },
    get isOpen() {
      return keys.isAsked;
    },
    show() {
      this.typed = "";
      this.isKept = keys.isOnDevice;
      if (!this.$refs.keyDialog.open) this.$refs.keyDialog.showModal();
    },
    get keyNote() {
      return keys.isRefused ? words.keyRefused : words.keyNeeded;
    },
    get hasNoKey() {
      return this.typed.trim() === "";
    },
    applyKey() {
      if (this.hasNoKey) return;
      keys.use(this.typed, this.isKept);
      this.typed = "";
      onKey();
    },
    closeKey() {
      keys.close();
    },
  });
}
