import * as z from "zod";
import { covers, type Principal, principalName } from "../domain/admin.ts";
import { answerTo, decideHeld, type HeldSummary, listHeld, showHeld } from "../pipeline/held.ts";
import type { World } from "../pipeline/world.ts";
import { type Command, command } from "./command.ts";
import { parsed } from "./input.ts";
import { AdminError } from "./problem.ts";
import { time } from "./views.ts";

/** Sets of removals and creations that a limit holds, as people see them and decide about them. */

const jobId = z.string().min(1).max(64);
const setId = z.string().min(1).max(100);

const shown = ({ since, decided, ...rest }: HeldSummary) => ({
  ...rest,
  since: time(since),
  ...(decided ? { decided: { by: decided.by, at: time(decided.at), expiresAt: time(decided.expiresAt) } } : {}),
});

const within = (principal: Principal, { targetTenantId, jobId }: HeldSummary): boolean =>
  covers(principal, { targetTenantId, jobId });

export async function heldSets(world: World, principal: Principal, query: Record<string, string>): Promise<object> {
  parsed(z.strictObject({}), query);
  return { items: (await listHeld(world)).filter((set) => within(principal, set)).map(shown) };
}

export async function heldSet(world: World, principal: Principal, query: Record<string, string>): Promise<object> {
  const { job, set } = parsed(z.strictObject({ job: jobId, set: setId }), query);
  const found = await mine(world, principal, job, set);
  return { set: shown(found.set), members: found.members };
}

/** One beyond the principal's scope is as one that does not exist. */
async function mine(world: World, principal: Principal, job: string, set: string) {
  const found = await showHeld(world, job, set);
  if (!found || !within(principal, found.set)) throw noSet();
  return found;
}

const noSet = (): AdminError => new AdminError("NOT_FOUND", { detail: "There is no such set." });

const refused = (answer: "grown" | "settled", { count, state }: HeldSummary): AdminError =>
  answer === "grown"
    ? new AdminError("REFUSED", { detail: `The set has ${count} people now: look at it again.` })
    : new AdminError("ALREADY_SETTLED", { detail: `It is ${state}.` });

const decision = (verdict: "approve" | "reject", summary: string): Command =>
  command(
    { name: `held-${verdict}`, role: "Sync.Approve", summary },
    z.strictObject({ job: jobId, set: setId, count: z.coerce.number().int().min(0) }),
    async (world, principal, { job, set: id, count }) => {
      const { set } = await mine(world, principal, job, id);
      const by = principalName(principal);
      const answer = answerTo(set, { verdict, by, count });
      if (answer === "grown" || answer === "settled") throw refused(answer, set);
      return {
        about: [{ targetTenantId: set.targetTenantId, jobId: set.jobId }],
        subjects: [job, id, String(count)],
        run: async () => {
          const done = await decideHeld(world, { jobId: job, setId: id, verdict, by, count });
          if (done.kind === "missing") throw noSet();
          if (done.kind !== "decided") throw refused(done.kind, done.set); // it changed in between
          return { set: shown(done.set), next: done.next };
        },
      };
    },
  );

export const HELD_COMMANDS: readonly Command[] = [
  decision("approve", "Lets a held set of removals or creations go on; `count` is the number that was looked at."),
  decision("reject", "Refuses a held set."),
];
