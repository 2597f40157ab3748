/**
 * Copy the page's libraries from node_modules to site/vendor: the files package.json names, no others.
 *
 * Run by scripts/vendor and by the image build, after `npm ci --ignore-scripts`.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { vendor } = JSON.parse(readFileSync(at("package.json"), "utf8"));

// A page may be served from the folder meanwhile: each file is replaced whole, and none is ever missing.
mkdirSync(at("site/vendor"), { recursive: true });
for (const [name, source] of Object.entries(vendor)) {
  const next = at(`site/vendor/${name}.next`);
  copyFileSync(at(`node_modules/${source}`), next);
  renameSync(next, at(`site/vendor/${name}`));
  console.log(`site/vendor/${name}  <-  ${source}`);
}
for (const name of readdirSync(at("site/vendor"))) {
  if (!(name in vendor)) rmSync(at(`site/vendor/${name}`), { recursive: true });
}
