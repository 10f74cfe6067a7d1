import * as z from "zod";
import { covers, type Principal, principalName } from "../domain/admin.ts";
import type { Pair } from "../domain/job.ts";
import { hintOperator } from "../pipeline/hints.ts";
import { askToTurnOff, turnOn } from "../pipeline/kill-switch.ts";
import { startDriftPass, startFullPass } from "../pipeline/passes.ts";
import { decideRequest, readRequest, requestState } from "../pipeline/requests.ts";
import { sendSweeps } from "../pipeline/start-sweeps.ts";
import { isGroupStream, needsOf, USERS } from "../pipeline/streams.ts";
import { transferLink } from "../pipeline/transfer-link.ts";
import { pairKey, type World } from "../pipeline/world.ts";
import { type Command, command } from "./command.ts";
import { HELD_COMMANDS } from "./held-sets.ts";
import { JOB_COMMANDS } from "./job-commands.ts";
import { AdminError } from "./problem.ts";
import { linksRebuild } from "./recovery.ts";
import { requestView, time, visiblePairs } from "./views.ts";

const tenant = z.string().min(1).max(64);
const reason = z.string().min(1).max(500);
const requestId = z.string().regex(/^[\w:.-]{1,200}$/, "the id of a request, as `requests list` shows it");

const isTenant = ({ id, name }: { id: string; name: string }, wanted: string): boolean =>
  name === wanted || id.toLowerCase() === wanted.toLowerCase();

/** Pairs from this source that the principal may see; `target` narrows. Throws `INVALID` when there is none. */
function pairsFrom(world: World, principal: Principal, source: string, target: string | undefined): readonly Pair[] {
  const from = visiblePairs(world, principal).filter((pair) => isTenant(pair.source, source));
  if (from.length === 0)
    throw new AdminError("INVALID", { mistakes: [{ path: "source", problem: "no job of yours has this source" }] });
  const pairs = from.filter((pair) => target === undefined || isTenant(pair.target, target));
  if (pairs.length === 0)
    throw new AdminError("INVALID", { mistakes: [{ path: "target", problem: "no job of yours has this target" }] });
  return pairs;
}

const look = command(
  { name: "look", role: "Sync.Operate", summary: "Looks at one person now, whatever the hashes say." },
  z.strictObject({ source: tenant, user: z.guid(), target: tenant.optional() }),
  async (world, principal, { source, user, target }) => {
    const userId = user.toLowerCase();
    const pairs = pairsFrom(world, principal, source, target);
    const concerned = await Promise.all(
      pairs.map(async (pair) => ({ pair, about: await subjectOf(world, pair, userId) })),
    );
    const mine = target === undefined ? concerned.filter(({ about }) => covers(principal, about)) : concerned;
    if (mine.length === 0) throw new AdminError("OUT_OF_SCOPE");
    return {
      about: mine.map(({ about }) => about),
      subjects: [userId, ...mine.flatMap(({ pair }) => [pair.source.id, pair.target.id])],
      run: async () => {
        await Promise.all(mine.map(({ pair }) => hintOperator(world, { pair, userId })));
        return { hints: mine.length };
      },
    };
  },
);

/** The person's link decides whose job it is. */
async function subjectOf(world: World, { source, target }: Pair, userId: string) {
  const link = (await world.tables.links.read(pairKey(source.id, target.id), userId))?.value;
  return { targetTenantId: target.id, jobId: link?.jobId };
}

const retry = command(
  { name: "retry", role: "Sync.Operate", summary: "Tries a person in escrow, or held, again now." },
  z.strictObject({ source: tenant, target: tenant, user: z.guid() }),
  async (world, principal, { source, target, user }) => {
    const userId = user.toLowerCase();
    const [pair] = pairsFrom(world, principal, source, target);
    if (!pair) throw new AdminError("NOT_FOUND");
    const key = pairKey(pair.source.id, pair.target.id);
    const link = (await world.tables.links.read(key, userId))?.value;
    const about = { targetTenantId: pair.target.id, jobId: link?.jobId };
    if (covers(principal, about) && !link?.escrow)
      throw new AdminError("NOTHING_TO_DO", { detail: "The person is not in escrow; `look` looks at anybody." });
    return {
      about: [about],
      subjects: [userId, pair.source.id, pair.target.id],
      run: async () => {
        await hintOperator(world, { pair, userId });
        return { hints: 1, code: link?.escrow?.code };
      },
    };
  },
);

const sweep = command(
  {
    name: "sweep",
    role: "Sync.Operate",
    summary: "Reads the changes of a source, or of all, now; or goes through everybody in it, or in its targets.",
  },
  z.strictObject({ source: tenant.optional(), pass: z.enum(["changes", "full", "drift"]).default("changes") }),
  async (world, principal, { source, pass }) => {
    const pairs =
      source === undefined ? visiblePairs(world, principal) : pairsFrom(world, principal, source, undefined);
    const sources = [...new Set(pairs.map((pair) => pair.source.id))];
    const targets = [...new Set(pairs.map((pair) => pair.target.id))];
    const [first] = pairs;
    if (!first) throw new AdminError("OUT_OF_SCOPE");
    return {
      // To read is not to write: whoever may operate anything of a source may have it read.
      about: [{ targetTenantId: first.target.id, jobId: ownJob(principal, first) }],
      subjects: [pass, ...(pass === "drift" ? targets : sources)],
      run: async () => {
        if (pass === "drift") {
          await startDriftPass(world, targets);
          return { targets };
        }
        if (pass === "full") await startFullPass(world, sources);
        else for (const id of sources) await sendSweeps(world, id, await streamsOf(world, id), "operator", 0);
        return { sources };
      },
    };
  },
);

const ownJob = (principal: Principal, { target, jobs }: Pair) =>
  jobs.find(({ id }) => covers(principal, { targetTenantId: target.id, jobId: id }))?.id;

async function streamsOf(world: World, tenantId: string): Promise<readonly string[]> {
  const needs = needsOf(world, tenantId);
  const streams = new Set([USERS, ...(needs && needs.groupIds.length > 0 ? ["groups-0"] : [])]);
  for await (const { row } of world.tables.checkpoints.list(tenantId)) {
    if (row === USERS || isGroupStream(row)) streams.add(row);
  }
  return [...streams];
}

const killOn = command(
  {
    name: "kill-on",
    role: "Sync.Operate",
    summary: "Nothing is written to any target until two people have lifted it.",
  },
  z.strictObject({ reason }),
  async (world, principal, { reason }) => ({
    about: [],
    subjects: [],
    run: async () => {
      const row = await turnOn(world, principalName(principal), reason);
      return { on: true, by: row.by, since: time(row.at) };
    },
  }),
);

const killOff = command(
  {
    name: "kill-off",
    role: "Sync.Operate",
    summary: "Asks for the lifting of the kill switch; a second person approves it.",
  },
  z.strictObject({ reason }),
  async (world, principal, { reason }) => ({
    about: [],
    subjects: [],
    run: async () => {
      const asked = await askToTurnOff(world, principalName(principal), reason);
      if (!asked) throw new AdminError("NOTHING_TO_DO", { detail: "The kill switch is off." });
      return { request: requestView(world, asked.id, asked.row) };
    },
  }),
);

/** One person's guest becomes another account's: whoever approves for the target decides. */
const transfer = command(
  {
    name: "links-transfer",
    role: "Sync.Approve",
    summary: "Hands a target user over to the source user who came after.",
  },
  z.strictObject({
    source: tenant,
    target: tenant,
    from: z.guid(),
    to: z.guid(),
    how: z.enum(["samePerson", "newPerson"]),
  }),
  async (world, principal, { source, target, from, to, how }) => {
    const [pair] = pairsFrom(world, principal, source, target);
    if (!pair) throw new AdminError("NOT_FOUND");
    const users = { fromUserId: from.toLowerCase(), toUserId: to.toLowerCase() };
    const tenants = { sourceTenantId: pair.source.id, targetTenantId: pair.target.id };
    return {
      about: [await subjectOf(world, pair, users.fromUserId), ...(await heldBy(world, pair, users.toUserId))],
      subjects: [users.fromUserId, users.toUserId, pair.source.id, pair.target.id, how],
      run: async () => {
        const outcome = await transferLink(world, { ...tenants, ...users, how, by: principalName(principal) });
        if (outcome.kind === "refused")
          throw new AdminError("REFUSED", { detail: `${outcome.code}: ${outcome.problem}. ${outcome.remedy}` });
        return outcome;
      },
    };
  },
);

/** Whoever has a job already is that job's too; a person without a link is nobody's yet. */
async function heldBy(world: World, pair: Pair, userId: string) {
  const about = await subjectOf(world, pair, userId);
  return about.jobId === undefined ? [] : [about];
}

/** `approve` and `reject`: of a request within one's scope, and to approve, not one's own. */
function decision(name: "approve" | "reject", verdict: "approved" | "rejected", summary: string): Command {
  return command(
    { name, role: "Sync.Approve", summary },
    z.strictObject({ id: requestId, note: reason.optional() }),
    async (world, principal, { id, note }) => {
      const row = await readRequest(world, id);
      // One beyond the principal's scope is as one that does not exist.
      if (!row || !covers(principal, row)) throw new AdminError("NOT_FOUND", { detail: "There is no such request." });
      const state = requestState(row, world.clock.now());
      const by = principalName(principal);
      if (verdict === "approved" && row.by === by) throw new AdminError("OWN_REQUEST");
      if (state !== "open" && state !== verdict) throw new AdminError("ALREADY_SETTLED", { detail: `It is ${state}.` });
      return {
        about: [row],
        subjects: [id, row.subject],
        run: async () => {
          const decided = await decideRequest(world, id, by, verdict, note);
          if (decided.kind !== "decided") throw new AdminError("ALREADY_SETTLED");
          return { request: requestView(world, id, decided.row) };
        },
      };
    },
  );
}

const ALL: readonly Command[] = [
  look,
  retry,
  sweep,
  killOn,
  killOff,
  transfer,
  linksRebuild,
  ...HELD_COMMANDS,
  ...JOB_COMMANDS,
  decision("approve", "approved", "Agrees to what somebody else asks for."),
  decision("reject", "rejected", "Refuses what somebody asks for."),
];

/** Every command by its name. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map(ALL.map((one) => [one.name, one]));
