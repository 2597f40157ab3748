/**
 * Copy the page's libraries from node_modules to site/vendor: the files package.json names, no others.
 *
 * Run by scripts/vendor and by the image build, after `npm ci --ignore-scripts`.
 */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { vendor } = JSON.parse(readFileSync(at("package.json"), "utf8"));

rmSync(at("site/vendor"), { recursive: true, force: true });
mkdirSync(at("site/vendor"), { recursive: true });
for (const [name, source] of Object.entries(vendor)) {
  copyFileSync(at(`node_modules/${source}`), at(`site/vendor/${name}`));
  console.log(`site/vendor/${name}  <-  ${source}`);
}
