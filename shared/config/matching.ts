import { CLOUDS } from "../domain/cloud.ts";
import { canBeMatched } from "../domain/matching.ts";
import type { Mistake } from "./load.ts";
import type { JobConfig, SyncConfig } from "./schema.ts";

/** What is wrong with how a job finds and takes over users who are there already. */
export function* matchingMistakes({ tenants }: SyncConfig, job: JobConfig, path: string): Generator<Mistake> {
  for (const [index, mapping] of (job.mappings ?? []).entries()) {
    if ((mapping.matchingPriority ?? 0) === 0) continue;
    const at = `${path}.mappings[${index}]`;
    if (!canBeMatched(mapping.target)) {
      yield {
        path: `${at}.matchingPriority`,
        problem: `Graph cannot search users by ${mapping.target}`,
        remedy: "Match by a property that can be filtered, such as employeeId or an extension attribute.",
      };
    }
    if (mapping.source === undefined && mapping.expression === undefined) {
      yield {
        path: `${at}.matchingPriority`,
        problem: "everybody has the same value",
        remedy: "Match by a mapping with `source` or `expression`.",
      };
    }
  }
  const cloud = tenants.find(({ name }) => name === job.target)?.cloud;
  if (job.adopt === "redeemed" && job.adoptBy === "resetRedemption" && cloud && !CLOUDS[cloud].resetRedemption) {
    yield {
      path: `${path}.adoptBy`,
      problem: `invitations of ${CLOUDS[cloud].title} know no resetRedemption`,
      remedy: "Set `adoptBy` to `signIn`.",
    };
  }
}
