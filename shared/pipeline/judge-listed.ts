import type { Pair } from "../domain/job.ts";
import type { Link } from "../domain/link.ts";
import { type ScopeDecision, type SourceView, scopeOf } from "../domain/scope.ts";
import { inputsHash, isAsBefore } from "./look.ts";
import type { World } from "./world.ts";

/** What a listing says of somebody in one pair, by the rules of a look. */
export interface Judged {
  inputs: string;
  /** In no job's assignment, and by no filter's doing: the same for everybody. */
  unassigned: boolean;
  /** Something is to be done, or said, for whom there is no link yet. */
  wanted: boolean;
  /** What is written depends on the clock, so that equal inputs say nothing. */
  restless: boolean;
}

const UNASSIGNED = ["notAssigned", "notListed"] as const;
const isUnassigned = (scope: ScopeDecision): boolean =>
  scope.kind === "out" &&
  UNASSIGNED.some((because) => because === scope.because) &&
  (scope.leftAloneBy ?? []).length === 0;

export function judgeListed(world: World, pair: Pair, source: SourceView): Judged {
  const scope = scopeOf(source, pair);
  const told = scope.kind === "out" && (scope.because === "externalAtSource" || scope.because === "guestAtSource");
  return {
    inputs: inputsHash(world, pair, scope),
    unassigned: isUnassigned(scope),
    wanted: scope.kind === "in" || told,
    restless: scope.kind === "in" && scope.job.mapper.restless,
  };
}

/** The link remembers something else, or there is none where there should be. */
export function isNews(world: World, judged: Judged, link: Link | undefined): boolean {
  if (!link) return judged.wanted;
  return judged.restless || !isAsBefore(link, judged.inputs, "fullPass", world.clock.now());
}

/** The link already says that the person is not there, or not assigned. */
export function isSettledOut(world: World, pair: Pair, link: Link): boolean {
  const now = world.clock.now();
  return outHashes(world, pair).some((inputs) => isAsBefore(link, inputs, "fullPass", now));
}

const known = new WeakMap<Pair, readonly string[]>();

/** Inputs of everybody who is gone or unassigned: they do not depend on the person. */
function outHashes(world: World, pair: Pair): readonly string[] {
  const before = known.get(pair);
  if (before) return before;
  const nobody = { id: "", userPrincipalName: "", mail: null, userType: null, creationType: null };
  const scopes: ScopeDecision[] = [{ kind: "missing" }, { kind: "out", because: "sourceDeleted" }];
  for (const because of UNASSIGNED) {
    for (const accountEnabled of [true, false]) {
      const user = { ...nobody, accountEnabled, managerId: undefined, attributes: {} };
      scopes.push({ kind: "out", because, user, leftAloneBy: [] });
    }
  }
  const hashes = scopes.map((scope) => inputsHash(world, pair, scope));
  known.set(pair, hashes);
  return hashes;
}
