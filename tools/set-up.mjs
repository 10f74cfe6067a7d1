// Installs the dependencies when the lock file, the platform or the architecture changed since the last time.
// Plain JavaScript without dependencies: it runs on the machine's own Node, before there is anything else.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".set-up");
const wanted = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .update(process.platform + process.arch)
  .digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const npm = process.env.npm_execpath;
  if (!npm) {
    console.error("Run this through npm: npm start, or npm test.");
    process.exit(1);
  }
  console.error("Setting up: installing the dependencies named in package-lock.json …");
  const run = spawnSync(process.execPath, [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
  });
  if (run.status !== 0) process.exit(run.status ?? 1);
  writeFileSync(stamp, wanted);
}
