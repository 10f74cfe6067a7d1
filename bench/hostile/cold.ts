import { randomBytes } from "node:crypto";
import { compileExpression } from "../../shared/domain/mapping/expression/index.ts";
import { ATTRIBUTES, HOSTILE } from "./texts.ts";

/** Run as a process of its own: one hostile text, compiled and evaluated once. Prints the milliseconds of work. */
const text = HOSTILE[process.argv[2] ?? ""]?.slice(0, 10_000) ?? "";
const since = process.cpuUsage();
const compiled = compileExpression(text);
if (compiled.ok) compiled.evaluate({ attributes: ATTRIBUTES, now: 0, randomBytes });
const { user, system } = process.cpuUsage(since);
process.stdout.write(String((user + system) / 1000));
