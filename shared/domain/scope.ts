import { groupKey, type Job, type Pair } from "./job.ts";
import { isExternal, type SourceUser } from "./user.ts";

/** What the source tenant said about the user. */
export type SourceView =
  | { kind: "found"; user: SourceUser; memberOf: ReadonlySet<string> }
  /** In the recycle bin: Graph has stated that the user was deleted. */
  | { kind: "deleted" }
  /** Not found anywhere: deleted for good, or too new for the replica that answered. */
  | { kind: "missing" };

export type ScopeDecision =
  | { kind: "in"; job: Job; user: SourceUser }
  /** `stated`: a reason in the person that Graph has stated. `notAssigned` wants a second reading. */
  | { kind: "out"; because: "sourceDeleted" | "externalAtSource" | "guestAtSource" | "notAssigned"; user?: SourceUser }
  | { kind: "missing" };

/** The first job whose scope holds owns the person. Only internal members leave their tenant; nobody is pushed on through a second hop. */
export function scopeOf(source: SourceView, pair: Pair): ScopeDecision {
  if (source.kind === "missing") return { kind: "missing" };
  if (source.kind === "deleted") return { kind: "out", because: "sourceDeleted" };
  const { user, memberOf } = source;
  const job = pair.jobs.find(
    ({ scope }) =>
      scope.allUsers || scope.users.includes(user.id) || scope.groups.some((group) => memberOf.has(groupKey(group))),
  );
  if (!job) return { kind: "out", because: "notAssigned", user };
  if (isExternal(user)) return { kind: "out", because: "externalAtSource", user };
  if (user.userType !== "Member") return { kind: "out", because: "guestAtSource", user };
  return { kind: "in", job, user };
}
