import { spawnSync } from "node:child_process";

/** Standard output of npm itself, whatever it ended with. */
export function npm(...args: readonly string[]): string {
  const [command, ...before] = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
  const run = spawnSync(command as string, [...before, ...args], {
    encoding: "utf8",
    maxBuffer: 256 * 1_048_576,
    stdio: ["ignore", "pipe", "ignore"],
  });
  if (run.error) throw run.error;
  return run.stdout;
}
