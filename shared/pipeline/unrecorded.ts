import type { Link, Unrecorded } from "../domain/link.ts";
import type { WritingPlan } from "../domain/plan.ts";
import type { Person } from "./look.ts";
import { readLog, writeLog } from "./provisioning-log.ts";
import type { LogRow, World } from "./world.ts";

/**
 * A change whose worker died, or never heard the answer, is found done by the next look, which has nothing to write any
 * more. What was intended stands in the link until a row of the provisioning log tells of it, so that the log is complete.
 */

/** As Graph's provisioning log calls it. */
export function actionOf(plan: WritingPlan): "create" | "update" | "disable" | "delete" {
  if (plan.kind === "restore") return "update";
  if (plan.kind !== "update") return plan.kind;
  return plan.effect === "disable" ? "disable" : plan.effect === "finish" ? "create" : "update";
}

/** What is about to be done. Whoever goes on with the same work tells of it in the same row. */
export function intended(
  link: Link | undefined,
  plan: WritingPlan,
  work: { name: string; inputs: string | undefined; person: Person; because: string },
): Unrecorded | undefined {
  const { name, inputs, person, because } = work;
  if (inputs === undefined) return undefined;
  const action = actionOf(plan);
  const before = link?.unrecorded;
  const left = before?.inputs === inputs && before.action === action ? before : undefined;
  return {
    row: left?.row ?? name,
    inputs,
    action,
    because: left?.because ?? because,
    reason: left?.reason ?? person.reason,
    noticedAt: left?.noticedAt ?? person.noticedAt,
    properties: union(left?.properties ?? [], propertiesOf(plan)),
  };
}

/** The target is as wished for these inputs: what was intended for them has been done. */
export async function recordIntended(
  world: World,
  { pair, userId }: Person,
  link: Link | undefined,
  inputs: string,
): Promise<void> {
  const left = link?.unrecorded;
  if (!link || left?.inputs !== inputs) return;
  const at = world.clock.now();
  const row: LogRow = {
    at,
    sourceTenantId: pair.source.id,
    targetTenantId: pair.target.id,
    userId,
    action: left.action,
    status: "success",
    because: left.because,
    reason: left.reason,
    afterMs: at - left.noticedAt,
    ...(link.targetId === undefined ? {} : { targetId: link.targetId }),
    ...(link.jobId === undefined ? {} : { jobId: link.jobId }),
    ...(left.properties.length > 0 ? { properties: left.properties } : {}),
  };
  // A worker that died after its row has told more than is known here.
  if (!(await readLog(world, left.row, row))) await writeLog(world, left.row, row);
}

export const union = (some: readonly string[], more: readonly string[]): readonly string[] => [
  ...new Set([...some, ...more]),
];

function propertiesOf(plan: WritingPlan): readonly string[] {
  switch (plan.kind) {
    case "create":
      return ["userPrincipalName", "userType", ...Object.keys(plan.wanted), "syncSource", ...managerOf(plan.managerId)];
    case "update":
      return [...Object.keys(plan.changes), ...managerOf(plan.managerId)];
    case "restore":
      return ["deletedDateTime", ...Object.keys(plan.changes), ...managerOf(plan.managerId)];
    default:
      return [];
  }
}

const managerOf = (managerId: unknown): readonly string[] => (managerId === undefined ? [] : ["manager"]);
