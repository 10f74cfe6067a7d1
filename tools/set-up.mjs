// Installs the dependencies when the lock file, the platform or the architecture changed since the last time.
// Plain JavaScript without dependencies: it runs on the machine's own Node, before there is anything else.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".set-up");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(process.platform + process.arch)
  .digest("hex");

/** npm's own folder, or one for this time where that cannot be written (a home that is read-only). */
function cacheFolder() {
  const usual = process.env.npm_config_cache;
  try {
    if (usual) {
      mkdirSync(usual, { recursive: true });
      accessSync(usual, constants.W_OK);
      return { arguments: [], remove: () => {} };
    }
  } catch {
    // Made below.
  }
  const folder = mkdtempSync(join(tmpdir(), "npm-cache-"));
  return { arguments: ["--cache", folder], remove: () => rmSync(folder, { recursive: true, force: true }) };
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const npm = process.env.npm_execpath;
  if (!npm) {
    console.error("Run this through npm: npm start, or npm test.");
    process.exit(1);
  }
  console.error("Setting up: installing the dependencies named in package-lock.json …");
  const cache = cacheFolder();
  const ci = ["ci", "--no-audit", "--no-fund", "--loglevel=error", ...cache.arguments];
  const run = spawnSync(process.execPath, [npm, ...ci], { cwd: root, stdio: ["ignore", 2, 2] });
  cache.remove();
  if (run.status !== 0) process.exit(run.status ?? 1);
  writeFileSync(stamp, wanted);
}
