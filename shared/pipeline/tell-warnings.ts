import type { DecisionLog } from "../ports/decision-log.ts";
import type { Rules, World } from "./world.ts";

const told = new WeakSet<Rules>();

/** What is allowed in the configuration and worth knowing: once a process and configuration. */
export function tellWarnings({ rules }: Pick<World, "rules">, log: DecisionLog): void {
  if (told.has(rules)) return;
  told.add(rules);
  for (const { path, problem, remedy } of rules.warnings) log.warn("configuration warning", { path, problem, remedy });
}
