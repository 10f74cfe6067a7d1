import type { Pair } from "../domain/job.ts";
import { type HeldSet, LIMIT_KINDS, type LimitKind, NEXT_SET } from "../domain/limits.ts";
import { hintInBulk } from "./hints.ts";
import { placeOf } from "./job-state.ts";
import { Ledgers } from "./ledger.ts";
import { pairKey, type World } from "./world.ts";

/** What people see of held sets, and what they decide. */

export interface HeldSummary {
  jobId: string;
  kind: LimitKind;
  sourceTenantId: string;
  targetTenantId: string;
  setId: string;
  class: HeldSet["class"];
  state: HeldSet["state"];
  because: string;
  since: number;
  /** Members; an approval names the number that it was given for. */
  count: number;
  /** Of them those whose turn has come after an approval. */
  acted: number;
  exceeded?: HeldSet["exceeded"];
  decided?: HeldSet["decided"];
}

export interface HeldMember {
  userId: string;
  targetId: string | undefined;
  /** Why the person is to be removed or created, at present. */
  because: string | undefined;
}

/** Members that are looked up one by one for people to read. */
const SHOWN_MAX = 500;

/** Sets of all jobs of the configuration: those that wait, and those that were decided about lately. */
export async function listHeld(world: World): Promise<readonly HeldSummary[]> {
  const ledgers = new Ledgers(world);
  const found: HeldSummary[] = [];
  for (const pair of world.rules.pairs)
    for (const { id } of pair.jobs)
      for (const kind of LIMIT_KINDS) {
        const { sets } = await ledgers.read({ pair, jobId: id, kind });
        found.push(...sets.map((set) => summary(pair, id, kind, set)));
      }
  return inTurn(found);
}

/** Those that wait for somebody first, then the staged, then what was decided; each oldest first. */
export const inTurn = <T extends Pick<HeldSummary, "state" | "since">>(sets: readonly T[]): readonly T[] =>
  [...sets].sort((a, b) => turnOf(a) - turnOf(b) || a.since - b.since);

const turnOf = ({ state }: Pick<HeldSummary, "state">): number => (state === "held" ? 0 : state === "staged" ? 1 : 2);

function summary(pair: Pair, jobId: string, kind: LimitKind, set: HeldSet): HeldSummary {
  const { id, members, acted, joinedAt: _, ...rest } = set;
  return {
    ...rest,
    jobId,
    kind,
    sourceTenantId: pair.source.id,
    targetTenantId: pair.target.id,
    setId: id,
    count: members.size,
    acted: acted.size,
  };
}

/** One set with its first members; `undefined`: there is none of this id. */
export async function showHeld(
  world: World,
  jobId: string,
  setId: string,
): Promise<{ set: HeldSummary; members: readonly HeldMember[] } | undefined> {
  const place = placeOf(world, jobId);
  if (!place) return undefined;
  for (const kind of LIMIT_KINDS) {
    const { sets } = await new Ledgers(world).read({ ...place, jobId, kind });
    const set = sets.find(({ id }) => id === setId);
    if (!set) continue;
    const userIds = [...set.members.keys()].slice(0, SHOWN_MAX);
    return { set: summary(place.pair, jobId, kind, set), members: await membersOf(world, place.pair, userIds) };
  }
  return undefined;
}

async function membersOf(world: World, pair: Pair, userIds: readonly string[]): Promise<HeldMember[]> {
  const partition = pairKey(pair.source.id, pair.target.id);
  return Promise.all(
    userIds.map(async (userId) => {
      const link = (await world.tables.links.read(partition, userId))?.value;
      return { userId, targetId: link?.targetId, because: link?.because };
    }),
  );
}

export interface HeldDecision {
  jobId: string;
  setId: string;
  verdict: "approve" | "reject";
  /** Who decides, `{tenant}/{object id}`. */
  by: string;
  /** As it was shown: a set that has grown since is shown again first. */
  count: number;
}

export type HeldAnswer =
  | { kind: "decided"; set: HeldSummary; next: string }
  | { kind: "missing" }
  | { kind: "grown"; set: HeldSummary }
  /** It was decided about before, or is over. */
  | { kind: "settled"; set: HeldSummary };

/**
 * Approves or rejects one set. The decision is a row; hints only make it quick: every member is decided about anew, and who has
 * come back meanwhile stays. The same decision again sends the hints again.
 */
export async function decideHeld(world: World, decision: HeldDecision): Promise<HeldAnswer> {
  const { jobId, setId, verdict, by } = decision;
  const place = placeOf(world, jobId);
  if (!place) return { kind: "missing" };
  const { pair, job } = place;
  const ledgers = new Ledgers(world);
  for (const kind of LIMIT_KINDS) {
    const done = await ledgers.change({ pair, jobId, kind }, (ledger, at): DecidedSet | undefined => {
      const set = ledger.sets.find(({ id }) => id === setId);
      if (!set) return undefined;
      const answer = answerTo({ ...set, count: set.members.size }, decision);
      if (answer !== "decide") return { answer, set };
      set.state = STATE_AFTER[verdict];
      set.decided = { by, at, expiresAt: at + job.limits.approvalMs };
      return { answer: "decided", set };
    });
    if (!done) continue;
    const shown = summary(pair, jobId, kind, done.set);
    if (done.answer !== "decided") return { kind: done.answer, set: shown };
    await hintInBulk(
      world,
      `${setId}:${verdict}:${world.chance.uuid()}`,
      pair.source.id,
      [...done.set.members.keys()],
      "operator",
    );
    return { kind: "decided", set: shown, next: NEXT_STEP[verdict][kind] };
  }
  return { kind: "missing" };
}

const STATE_AFTER = { approve: "approved", reject: "rejected" } as const;

/** `decide`: it may be; `decided`: it was, by the same person and in the same way. */
export function answerTo(
  set: Pick<HeldSummary, "state" | "decided" | "count">,
  { verdict, by, count }: Pick<HeldDecision, "verdict" | "by" | "count">,
): "decide" | "decided" | "grown" | "settled" {
  const wanted = STATE_AFTER[verdict];
  if (set.state === wanted && set.decided?.by === by) return "decided";
  if (set.state === wanted || NEXT_SET[set.state][verdict] !== wanted) return "settled";
  return set.count === count ? "decide" : "grown";
}

interface DecidedSet {
  answer: "decided" | "grown" | "settled";
  set: HeldSet;
}

/** What people do after their decision. */
const NEXT_STEP: Readonly<Record<HeldDecision["verdict"], Readonly<Record<LimitKind, string>>>> = {
  approve: {
    removals: "Everybody who is still to be removed is removed now, one by one.",
    creations: "Everybody who is still in scope is invited now.",
  },
  reject: {
    removals:
      "These people stay. Undo the cause (the filter, the group, the deletion): they are not asked about again until it changes.",
    creations: "These people are not invited. Narrow the scope: they are not asked about again until the rules change.",
  },
};
