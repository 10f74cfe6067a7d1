#!/usr/bin/env node
import { run } from "./program.ts";

// Whoever reads the answers may have seen enough, as `head` has: no failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

await run(process.argv.slice(2));
