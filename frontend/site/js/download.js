/**
 * Handing a file to the browser's downloads.
 *
 * Knows: object addresses, which no request carries. Knows nothing of: what is in the file.
 */

/** The browser has taken an object address over long before this. */
const KEEP_SECONDS = 10;

/** Return `saveFile(name, text, type)`. */
export function download({ document, URL, Blob, setTimeout }) {
  return function saveFile(name, text, type) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), KEEP_SECONDS * 1000);
  };
}
