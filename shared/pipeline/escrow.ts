import type { ErrorCode } from "../domain/error.ts";
import { type Escrow, intoEscrow } from "../domain/link.ts";
import { readLink, writeLink } from "./claims.ts";
import { CLOCKS_DIFFER_MS } from "./hints.ts";
import type { Person } from "./look.ts";
import { logOutcomeOf, logRowName, rowAbout, writeLog } from "./provisioning-log.ts";
import type { World } from "./world.ts";

/**
 * When the hint about an escrow is to arrive, ms from now. An instance whose clock is behind must not find that it is not
 * due yet: the hint would be the last one.
 */
export const retryAfterMs = (nextAt: number, now: number): number => nextAt - now + CLOCKS_DIFFER_MS;

/**
 * Puts a person into escrow for a failure outside a claim: nothing could even be decided about them. The failure is
 * visible in the log before the person is tried again. `announce` sends the hint of that try, before anything is counted:
 * while it cannot be sent the same failure comes again, and counts once in the end.
 */
export async function escrowPerson(
  world: World,
  person: Person,
  code: ErrorCode,
  detail?: string,
  announce?: (escrow: Escrow) => Promise<void>,
): Promise<Escrow> {
  const stored = await readLink(world, person);
  const now = world.clock.now();
  const before = stored?.value.escrow;
  // The same failure told again before it was tried again counts once.
  const waits = before?.code === code && now < before.nextAt;
  const reference = detail === "managerNotFound" ? { reference: true as const } : {};
  const escrow = waits ? before : { ...intoEscrow(before, code, now), ...reference };
  await announce?.(escrow);
  await writeLink(world, person, stored, "marked", { escrow, because: code, inputs: undefined });
  if (before?.code === code) return escrow;
  await writeLog(world, logRowName(world), {
    ...rowAbout(world, person),
    action: "other",
    ...logOutcomeOf(code),
    ...(detail ? { detail } : {}),
  });
  return escrow;
}
