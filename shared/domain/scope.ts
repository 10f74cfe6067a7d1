import { groupKey, type Job, type Pair } from "./job.ts";
import { sourceView } from "./mapping/attributes.ts";
import type { FilterVerdict } from "./scoping-filter.ts";
import { isExternal, type SourceUser } from "./user.ts";

/** What the source tenant said about the user. */
export type SourceView =
  | { kind: "found"; user: SourceUser; memberOf: ReadonlySet<string> }
  /** In the recycle bin: Graph has stated that the user was deleted. */
  | { kind: "deleted" }
  /** Not found anywhere: deleted for good, or too new for the replica that answered. */
  | { kind: "missing" };

/**
 * Why somebody is in no job's scope. `notAssigned`: a membership in a group that was read would let the person in, so a second
 * reading is wanted. `notListed`: no group could, only the configuration. `filteredOut`: assigned, and the scoping filter,
 * on attributes that were read, does not hold.
 */
export type OutReason =
  | "sourceDeleted"
  | "externalAtSource"
  | "guestAtSource"
  | "notAssigned"
  | "notListed"
  | "filteredOut";

export type ScopeDecision =
  | { kind: "in"; job: Job; user: SourceUser }
  | {
      kind: "out";
      because: OutReason;
      user?: SourceUser;
      /** Jobs that the person is assigned to. */
      assignedTo?: readonly Job[];
      /** Ids of jobs whose input filter leaves the person out: for them the person does not exist. */
      leftAloneBy?: readonly string[];
    }
  | { kind: "missing" };

/**
 * The first job whose scope holds, assignment and filter, owns the person. Only internal members leave their tenant; nobody is
 * pushed on through a second hop. Source: Entra `define-conditional-rules-for-provisioning-user-accounts.md`.
 */
export function scopeOf(source: SourceView, pair: Pair): ScopeDecision {
  if (source.kind === "missing") return { kind: "missing" };
  if (source.kind === "deleted") return { kind: "out", because: "sourceDeleted" };
  const { user, memberOf } = source;
  const attributes = sourceView(user);
  const passes = ({ scope }: Job) => scope.filter?.inScope(attributes) ?? true;
  const assignedTo = pair.jobs.filter((job) => isAssigned(job, user.id, memberOf));
  const strange = isExternal(user) ? "externalAtSource" : user.userType !== "Member" ? "guestAtSource" : undefined;
  if (strange && assignedTo.length > 0) return { kind: "out", because: strange, user, assignedTo };
  const owner = assignedTo.find(passes);
  if (owner) return { kind: "in", job: owner, user };
  const restsOnGroups = pair.jobs.some(
    (job) => job.state !== "retire" && job.scope.groups.length > 0 && !assignedTo.includes(job) && passes(job),
  );
  const leftAloneBy = pair.jobs.filter(({ scope }) => scope.filter?.test(attributes).leftAlone).map(({ id }) => id);
  const because = restsOnGroups ? "notAssigned" : assignedTo.length > 0 ? "filteredOut" : "notListed";
  return { kind: "out", because, user, assignedTo, leftAloneBy };
}

function isAssigned({ scope, state }: Job, userId: string, memberOf: ReadonlySet<string>): boolean {
  if (state === "retire") return false;
  return scope.allUsers || scope.users.includes(userId) || scope.groups.some((group) => memberOf.has(groupKey(group)));
}

/** As Entra's log shows the filter that leaves external users out, whatever a job's filter says. */
const SYSTEM_FILTER = "Filter external users.alternativeSecurityIds EQUALS 'None'";

/**
 * What the provisioning log shows of the step `EntrySynchronizationScoping`, in the documented names. Clauses hold values of
 * the filter, none of the user. `undefined`: no user was read. Source: Entra `provision-on-demand.md`.
 */
export function scopingDetails(scope: ScopeDecision): Readonly<Record<string, string>> | undefined {
  if (scope.kind === "missing" || !scope.user) return undefined;
  const { user } = scope;
  const jobs = scope.kind === "in" ? [scope.job] : (scope.assignedTo ?? []);
  const attributes = sourceView(user);
  const verdicts = jobs.flatMap(({ scope: { filter } }): FilterVerdict[] => (filter ? [filter.test(attributes)] : []));
  const internal = !isExternal(user);
  const clauses = Object.assign(
    {},
    ...verdicts.map(({ clauses: of }) => of),
    internal ? {} : { [SYSTEM_FILTER]: false },
  );
  const passed =
    internal && (jobs.length > verdicts.length || verdicts.length === 0 || verdicts.some(({ inScope }) => inScope));
  return {
    "Active in the source system": text(user.accountEnabled),
    "Assigned to the application": text(jobs.length > 0),
    "Scoping filter evaluation passed": text(passed),
    ScopeEvaluationResult: JSON.stringify(clauses),
  };
}

const text = (value: boolean): string => (value ? "True" : "False");
