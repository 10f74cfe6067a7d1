/**
 * Delta query for users and groups. Sources: Graph `delta-query-overview.md`, `delta-query-groups.md`, `user-delta.md`,
 * `group-delta.md`. A token is a place in the directory's log; nothing about a round is kept on this side.
 */
import {
  type Changes,
  changesBetween,
  groupItems,
  type Item,
  initialGroupPage,
  initialUserPage,
  userItem,
} from "./delta-items.ts";
import {
  allowQuery,
  badRequest,
  isGuid,
  isRecord,
  ODataError,
  type Query,
  queryString,
  type Reply,
  seal,
  unseal,
} from "./odata.ts";
import { READ_GROUPS, READ_USERS } from "./permissions.ts";
import { GROUP_DEFAULTS, USER_DEFAULTS } from "./properties.ts";
import { contextOf, GROUP, refuseOutsideDirectory, selection, USER } from "./rendering.ts";
import { type Call, context, deltaTime, type Route, type Tenant } from "./runtime.ts";

export type Kind = "users" | "groups";

const FILTERED_MAX = 50;
/** Rounds whose list of changes is remembered. */
const ROUNDS_MAX = 32;

/** What a link's token says. */
export interface Round {
  kind: Kind;
  /** Undefined: the default set. */
  select: readonly string[] | undefined;
  /** Only these objects. */
  ids: readonly string[] | undefined;
  /** Changes after this commit; undefined: everything (initial round). */
  from: number | undefined;
  /** Where this round ends and the next begins. */
  to: number;
  /** Where the round before began: a replay starts there. */
  before: number | undefined;
  /** Where the next page begins; its meaning is the page maker's. */
  position: number;
  /** Within a group that is repeated: the next member. */
  member: number;
  /** When the token was made. */
  at: number;
  /** Only changed properties, as the first request of the round asked. */
  minimal: boolean;
}

const expired = () =>
  new ODataError(
    400,
    "syncStateNotFound",
    "The sync state generation is not found. The delta token is expired and data must be synchronized again.",
  );

function readToken(call: Call, kind: Kind, text: string): Round {
  const content = unseal(text);
  if (!isRecord(content) || content.kind !== kind || typeof content.to !== "number" || typeof content.at !== "number") {
    throw badRequest("Badly formed token.");
  }
  const token = asRound(content);
  const { world, directory } = call.tenant;
  if (world.clock.now() - token.at > world.knobs.deltaTokenLifeMs) throw expired();
  if (token.to > directory.log.head || token.to + 1 < directory.log.oldest) throw expired();
  return token;
}

/** Tokens are our own: what has the marks of one is one. */
function asRound(content: Record<string, unknown>): Round {
  const texts = (value: unknown) => (Array.isArray(value) ? value.map(String) : undefined);
  const number = (value: unknown) => (typeof value === "number" ? value : undefined);
  return {
    kind: content.kind === "users" ? "users" : "groups",
    select: texts(content.select),
    ids: texts(content.ids),
    from: number(content.from),
    to: number(content.to) ?? 0,
    before: number(content.before),
    position: number(content.position) ?? 0,
    member: number(content.member) ?? 0,
    at: number(content.at) ?? 0,
    minimal: content.minimal === true,
  };
}

function idsOf(query: Query): readonly string[] | undefined {
  const text = query.get("$filter");
  if (text === undefined) return undefined;
  const ids = text
    .split(/\s+or\s+/i)
    .map((part) => /^\(?\s*id\s+eq\s+'?([^')]+)'?\s*\)?$/i.exec(part.trim())?.[1]?.toLowerCase());
  if (ids.some((id) => id === undefined || !isGuid(id))) {
    throw badRequest("Delta queries support $filter only as id eq '...', combined by 'or'.");
  }
  if (ids.length > FILTERED_MAX)
    throw badRequest(`The number of objects in $filter exceeds the maximum of ${FILTERED_MAX}.`);
  return ids.filter((id) => id !== undefined);
}

/** `410` with the address of a full round. */
export function resync(call: Call, kind: Kind, withLocation: boolean): ODataError {
  const token = call.query.get("$deltatoken") ?? call.query.get("$skiptoken");
  let select: string | undefined = call.query.get("$select");
  if (select === undefined && token !== undefined && token !== "") {
    const content = unseal(token);
    if (isRecord(content) && Array.isArray(content.select)) select = content.select.join(",");
  }
  const options: [string, string][] = [
    ["$deltatoken", ""],
    ...(select === undefined ? [] : ([["$select", select]] as [string, string][])),
  ];
  return new ODataError(410, "resyncRequired", "Resync required. The requested delta state is no longer available.", {
    headers: withLocation ? { location: `${call.tenant.roots.graph}/v1.0/${kind}/delta${queryString(options)}` } : {},
  });
}

function startRound(call: Call, kind: Kind): Round {
  const { tenant, query } = call;
  const resource = kind === "users" ? USER : GROUP;
  const relations = kind === "users" ? ["manager"] : ["members", "owners"];
  const skip = query.get("$skiptoken");
  const delta = query.get("$deltatoken");
  if (query.has("$expand") && kind === "users")
    throw badRequest("The query option '$expand' is not supported for this resource.");
  const given = selection(query, resource, relations);
  refuseOutsideDirectory(given);

  if (skip !== undefined) {
    if (query.has("$select")) throw badRequest("$select cannot be combined with $skiptoken.");
    return readToken(call, kind, skip);
  }
  const { log } = tenant.directory;
  const horizon = log.seqAt(deltaTime(tenant));
  if (horizon < log.head) tenant.statistics.staleDeltas++;
  const minimal = /(^|[,;\s])return=minimal/i.test(call.headers.prefer ?? "");
  if (delta !== undefined && delta !== "" && delta !== "latest") {
    const last = readToken(call, kind, delta);
    const replayed = tenant.chance.delta.chance(tenant.world.knobs.deltaReplayed) ? last.before : undefined;
    return {
      ...last,
      select: given ?? last.select,
      from: replayed ?? last.to,
      // Never back: another replica may know less than the one that made the token.
      to: Math.max(horizon, last.to),
      before: last.to,
      position: 0,
      member: 0,
      minimal,
    };
  }
  const fresh: Round = {
    kind,
    select: given,
    ids: idsOf(query),
    from: undefined,
    to: horizon,
    before: undefined,
    position: 0,
    member: 0,
    at: call.now,
    minimal: false,
  };
  if (delta === "latest") return { ...fresh, from: horizon };
  return fresh;
}

const recent = new WeakMap<Tenant, Map<string, Changes>>();

/** What changed in a round; pages of one round ask for the same. */
function changesOf(tenant: Tenant, round: Round): Changes {
  const rounds = recent.get(tenant) ?? new Map<string, Changes>();
  recent.set(tenant, rounds);
  const key = JSON.stringify([round.kind, round.from, round.to, round.select, round.ids]);
  const known = rounds.get(key);
  if (known) return known;
  const changes = changesBetween(tenant, round);
  if (rounds.size >= ROUNDS_MAX) rounds.delete(rounds.keys().next().value ?? "");
  rounds.set(key, changes);
  return changes;
}

function delta(call: Call, kind: Kind): Reply {
  const { tenant, query } = call;
  allowQuery(query, ["$select", "$filter", "$deltatoken", "$skiptoken", "$expand", "$format"]);
  const round = startRound(call, kind);
  const { knobs } = tenant.world;
  const { chance } = tenant;

  if (chance.delta.chance(knobs.deltaEmptyPages)) return answer(call, round, [], round);

  const at = Math.max(deltaTime(tenant), tenant.directory.log.timeOf(round.to));
  const size = Math.max(1, Math.floor(knobs.deltaPageSize));
  const slice = Math.max(1, Math.floor(knobs.deltaMembersPerPage));
  let items: Item[];
  let next: { position: number; member: number } | undefined;
  if (round.from === undefined) {
    const made =
      kind === "users" ? initialUserPage(tenant, round, at, size) : initialGroupPage(tenant, round, at, size, slice);
    ({ items, next } = made);
  } else {
    const changes = changesOf(tenant, round);
    const made =
      kind === "users"
        ? pageOfUsers(tenant, round, changes, at, size)
        : groupItems(tenant, round, changes, at, size, slice);
    ({ items, next } = made);
  }
  const repeated = items.filter(() => chance.delta.chance(knobs.deltaRepeated));
  return answer(call, round, [...items, ...repeated], next && { ...round, ...next });
}

function pageOfUsers(tenant: Tenant, round: Round, changes: Changes, at: number, size: number) {
  const ids = [...changes.objects.keys()];
  const end = round.position + size;
  const items = ids.slice(round.position, end).map((id) => userItem(tenant, id, round, at, changes.objects.get(id)));
  return {
    items: items.filter((item) => item !== undefined),
    next: end < ids.length ? { position: end, member: 0 } : undefined,
  };
}

function answer(call: Call, round: Round, value: readonly Item[], next: Round | undefined): Reply {
  const { tenant } = call;
  const root = `${tenant.roots.graph}/v1.0/${round.kind}/delta`;
  const link = next
    ? { "@odata.nextLink": `${root}?$skiptoken=${seal({ ...next, at: call.now })}` }
    : {
        "@odata.deltaLink": `${root}?$deltatoken=${seal({ ...round, position: 0, member: 0, at: call.now, before: round.from })}`,
      };
  return {
    status: 200,
    body: { "@odata.context": context(tenant, contextOf(round.kind, round.select)), ...link, value },
  };
}

/** The properties that a round tracks. */
export const tracked = (round: Round): readonly string[] =>
  round.select ?? (round.kind === "users" ? USER_DEFAULTS : [...GROUP_DEFAULTS, "members"]);

const quota = "identity";
export const DELTA_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/users/delta",
    cost: 1,
    write: false,
    quota,
    area: "delta",
    permissions: READ_USERS,
    handle: (call) => delta(call, "users"),
  },
  {
    method: "GET",
    path: "/groups/delta",
    cost: 1,
    write: false,
    quota,
    area: "delta",
    permissions: READ_GROUPS,
    handle: (call) => delta(call, "groups"),
  },
];
