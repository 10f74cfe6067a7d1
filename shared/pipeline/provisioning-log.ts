import { ERRORS, type ErrorCode } from "../domain/error.ts";
import type { Person } from "./look.ts";
import { type LogRow, pairKey, type World } from "./world.ts";

/** Larger than any time in ms until the year 2286: rows sort newest first. */
const FAR_FUTURE = 9_999_999_999_999;

/** Names a row, newest first; also the id of the claim under which something is done, so that a repetition writes the same row. */
export function logRowName(world: World): string {
  return `${(FAR_FUTURE - world.clock.now()).toString().padStart(13, "0")}-${world.chance.uuid().slice(0, 8)}`;
}

type Tenants = Pick<LogRow, "sourceTenantId" | "targetTenantId">;

export async function writeLog(world: World, name: string, row: LogRow): Promise<void> {
  await world.tables.provisioninglog.put(partitionOf(name, row), name, row);
}

export async function readLog(world: World, name: string, tenants: Tenants): Promise<LogRow | undefined> {
  return (await world.tables.provisioninglog.read(partitionOf(name, tenants), name))?.value;
}

function partitionOf(name: string, { sourceTenantId, targetTenantId }: Tenants): string {
  const at = FAR_FUTURE - Number(name.slice(0, 13));
  return `${pairKey(sourceTenantId, targetTenantId)}_${new Date(at).toISOString().slice(0, 10)}`;
}

/** What every row about a person says: who, in which pair, why we looked, and how long after it was noticed. */
export function rowAbout(
  { clock }: Pick<World, "clock">,
  { pair, userId, reason, noticedAt }: Person,
): Pick<LogRow, "at" | "sourceTenantId" | "targetTenantId" | "userId" | "reason" | "afterMs"> {
  const at = clock.now();
  const { source, target } = pair;
  return { at, sourceTenantId: source.id, targetTenantId: target.id, userId, reason, afterMs: at - noticedAt };
}

/** A failure that cannot be laid at anybody's door: visible all the same. Ids that are not known read `unknown`. */
export async function writeFailure(
  world: World,
  where: { sourceTenantId?: string; targetTenantId?: string },
  code: ErrorCode,
  detail: string,
): Promise<void> {
  await writeLog(world, logRowName(world), {
    at: world.clock.now(),
    sourceTenantId: where.sourceTenantId ?? "unknown",
    targetTenantId: where.targetTenantId ?? "unknown",
    userId: "unknown",
    action: "other",
    reason: "sweep",
    afterMs: 0,
    ...logOutcomeOf(code),
    status: "failure",
    detail,
  });
}

/** Status and remedy of a code. */
export function logOutcomeOf(code: ErrorCode): {
  status: LogRow["status"];
  code: string;
  because: string;
  remedy: string;
} {
  const { meaning, remedy } = ERRORS[code];
  const held = "held" in ERRORS[code];
  return {
    status: held ? "skipped" : "failure",
    code,
    because: meaning,
    remedy,
  };
}
