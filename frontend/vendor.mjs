/**
 * Copy the page's libraries from node_modules to site/vendor: the files package.json names, no others.
 *
 * Run by scripts/vendor and by the image build, after `npm ci --ignore-scripts`.
 */
import { copyFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const { vendor } = JSON.parse(readFileSync(at("package.json"), "utf8"));

// A page may be served from the folder meanwhile: each file is replaced whole, and none is ever missing.
for (const [name, source] of Object.entries(vendor)) {
  const next = at(`site/vendor/${name}.next`);
  mkdirSync(dirname(next), { recursive: true });
  copyFileSync(at(`node_modules/${source}`), next);
  renameSync(next, at(`site/vendor/${name}`));
  console.log(`site/vendor/${name}  <-  ${source}`);
}
const wanted = new Set(Object.keys(vendor));
for (const entry of readdirSync(at("site/vendor"), { recursive: true, withFileTypes: true })) {
  const path = `${entry.parentPath}/${entry.name}`;
  const name = path.slice(at("site/vendor/").length);
  if (entry.isFile() && !wanted.has(name)) rmSync(path);
}
