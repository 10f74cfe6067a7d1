import { randomBytes } from "node:crypto";
import { compileExpression } from "../../shared/domain/mapping/expression/index.ts";
import { ATTRIBUTES, HOSTILE } from "./texts.ts";

/** Run as a process of its own: one hostile text, compiled and evaluated once. Prints how many milliseconds that takes. */
const text = HOSTILE[process.argv[2] ?? ""]?.slice(0, 10_000) ?? "";
const since = performance.now();
const compiled = compileExpression(text);
if (compiled.ok) compiled.evaluate({ attributes: ATTRIBUTES, now: 0, randomBytes });
process.stdout.write(String(performance.now() - since));
