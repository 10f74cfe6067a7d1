/** Users. Sources: Graph `user-list.md`, `user-get.md`, `user-post-users.md`, `user-update.md`, `user-delete.md`. */
import { lower } from "./directory.ts";
import { checkFilter, keysOf, matches, propertiesOf, walk } from "./filter.ts";
import { type Filter, parseFilter } from "./filter-parser.ts";
import { renderManager } from "./managers.ts";
import {
  allowQuery,
  badRequest,
  denied,
  invalidValue,
  isRecord,
  notFound,
  ODataError,
  pageSize,
  type Query,
  queryString,
  type Reply,
  seal,
  unseal,
  unsupportedQuery,
} from "./odata.ts";
import { alive, type Person } from "./people.ts";
import { CREATE_USERS, DELETE_USERS, READ_USERS, REVOKE_SESSIONS, UPDATE_USERS } from "./permissions.ts";
import { contextOf, refuseOutsideDirectory, renderUser, selection, USER, userValue } from "./rendering.ts";
import { type Call, context, indexTime, type Route, replicaTime, type Tenant } from "./runtime.ts";
import { checkObjectQuota, completeChanges, readChanges, userToWrite } from "./user-writes.ts";

const PAGE = 100;
/** `$orderby` by default, the others only with advanced queries. */
const SORTABLE = ["displayName", "userPrincipalName"];
const SORTABLE_ADVANCED = [...SORTABLE, "createdDateTime", "deletedDateTime"];
/** A filter on one of these is answered by the search index. */
const INDEXED = ["mail", "otherMails", "proxyAddresses", "identities", "imAddresses", "employeeId"];

export interface UserQuery {
  filter: Filter | undefined;
  advanced: boolean;
  /** What the answering replica or index knows. */
  at: number;
  byIndex: boolean;
}

/** Reads `$filter` and draws who answers. */
export function userQuery(call: Call): UserQuery {
  const { query, tenant } = call;
  const advanced = call.eventual && (query.get("$count") === "true" || call.route.path.endsWith("/$count"));
  const text = query.get("$filter");
  const filter = text === undefined ? undefined : parseFilter(text);
  if (filter) checkFilter(filter, USER, advanced);
  if (query.has("$search")) {
    if (!call.eventual) {
      throw unsupportedQuery(
        "Request with $search query parameter only works through MSGraph with a special request header: 'ConsistencyLevel: eventual'",
      );
    }
    throw new ODataError(501, "NotImplemented", "$search is not part of this simulation.");
  }
  const byIndex = call.eventual || (filter ? propertiesOf(filter).some((name) => INDEXED.includes(name)) : false);
  return { filter, advanced, at: byIndex ? indexTime(tenant) : replicaTime(tenant), byIndex };
}

const reader = (person: Person) => (path: readonly string[]) => walk(userValue(person, path[0] ?? ""), path.slice(1));

/** Everybody who fulfils the query, in a stable order, from a position on. */
export function* findUsers(
  tenant: Tenant,
  { filter, at, byIndex }: UserQuery,
  deleted: boolean,
  position = 0,
): Iterable<{ person: Person; next: number }> {
  const { people } = tenant.directory;
  const wanted = (person: Person) => alive(person.state) !== deleted && (!filter || matches(filter, reader(person)));
  const lookup = filter && keysOf(filter);
  if (lookup || deleted) {
    const ids = lookup
      ? [...new Set([...lookup.ids, ...lookup.keys.flatMap((key) => people.candidates(key))])]
      : [...people.deleted];
    for (let i = position; i < ids.length; i++) {
      const id = ids[i] as string;
      const person = people.find(id, at);
      if (people.isStale(id, at)) tenant.statistics[byIndex ? "staleSearches" : "staleReads"]++;
      if (person && wanted(person)) yield { person, next: i + 1 };
    }
    return;
  }
  for (const found of people.from(position, at)) if (wanted(found.person)) yield found;
}

function orderOf(query: Query, advanced: boolean, filtered: boolean): ((a: Person, b: Person) => number) | undefined {
  const text = query.get("$orderby");
  if (text === undefined) return undefined;
  const [name = "", direction = "asc"] = text.trim().split(/\s+/);
  if (!(advanced ? SORTABLE_ADVANCED : SORTABLE).includes(name) || (filtered && !advanced)) {
    throw unsupportedQuery(
      filtered && !advanced
        ? "Sorting not supported for current query."
        : `Unsupported sort property '${name}' for 'User'.`,
    );
  }
  const sign = direction.toLowerCase() === "desc" ? -1 : 1;
  const key = (person: Person) => String(userValue(person, name) ?? "").toLowerCase();
  return (a, b) => sign * key(a).localeCompare(key(b));
}

const LIST_OPTIONS = [
  "$select",
  "$filter",
  "$top",
  "$count",
  "$orderby",
  "$expand",
  "$search",
  "$skiptoken",
  "$format",
];

function positionOf(query: Query): number {
  const token = query.get("$skiptoken");
  if (token === undefined) return 0;
  const content = unseal(token);
  if (!isRecord(content) || typeof content.p !== "number") throw badRequest("Badly formed token.");
  return content.p;
}

/** A page of users, live or deleted. */
export function listUsers(call: Call, deleted: boolean): Reply {
  const { tenant, query } = call;
  allowQuery(query, LIST_OPTIONS);
  const selected = selection(query, USER);
  refuseOutsideDirectory(selected);
  const expand = expandOf(query, call.eventual);
  const wanted = userQuery(call);
  const size = pageSize(query, PAGE);
  const order = orderOf(query, wanted.advanced, wanted.filter !== undefined);
  const position = positionOf(query);
  const count =
    call.eventual && query.get("$count") === "true" && !query.has("$skiptoken")
      ? countUsers(tenant, wanted, deleted)
      : undefined;

  const page: Person[] = [];
  let next: number | undefined;
  if (order) {
    const all = [...findUsers(tenant, wanted, deleted)].map(({ person }) => person).sort(order);
    page.push(...all.slice(position, position + size));
    if (position + size < all.length) next = position + size;
  } else {
    let after = position;
    for (const found of findUsers(tenant, wanted, deleted, position)) {
      if (page.length === size) {
        next = after;
        break;
      }
      page.push(found.person);
      after = found.next;
    }
  }
  const path = deleted ? "directory/deletedItems/microsoft.graph.user" : "users";
  const value = page.map((person) => ({ ...renderUser(person, selected), ...expand?.(tenant, person, wanted.at) }));
  return {
    status: 200,
    body: {
      "@odata.context": context(
        tenant,
        contextOf(deleted ? "directoryObjects/microsoft.graph.user" : "users", selected),
      ),
      ...(count === undefined ? {} : { "@odata.count": count }),
      ...(next === undefined ? {} : { "@odata.nextLink": nextLink(tenant, path, query, { p: next }) }),
      value,
    },
  };
}

export function nextLink(tenant: Tenant, path: string, query: Query, token: unknown): string {
  const kept = [...query].filter(([name]) => name !== "$skiptoken");
  return `${tenant.roots.graph}/v1.0/${path}${queryString([...kept, ["$skiptoken", seal(token)]])}`;
}

function countUsers(tenant: Tenant, wanted: UserQuery, deleted: boolean): number {
  const { people } = tenant.directory;
  // The number of everybody does not lag: to count a million computed people one by one takes seconds.
  if (!wanted.filter && !deleted && (tenant.world.knobs.indexLagMs === 0 || people.computed.count > 0))
    return people.live;
  let count = 0;
  for (const _ of findUsers(tenant, wanted, deleted)) count++;
  return count;
}

type Expand = (tenant: Tenant, person: Person, at: number) => Record<string, unknown>;

/** `$expand=manager` or `manager($select=id)`. */
function expandOf(query: Query, eventual: boolean): Expand | undefined {
  const text = query.get("$expand");
  if (text === undefined) return undefined;
  if (eventual) throw unsupportedQuery("Expand is not supported with advanced queries.");
  const match = /^manager(?:\(\$levels=\d+\))?(?:\((.*)\))?$/.exec(text.trim());
  if (!match) {
    throw new ODataError(
      400,
      "BadRequest",
      `Parsing OData Select and Expand failed: '${text}' cannot be expanded on type 'microsoft.graph.user'.`,
    );
  }
  const inner = new Map(
    (match[1] ?? "")
      .split(";")
      .filter(Boolean)
      .map((option) => option.split("=") as [string, string]),
  );
  const selected = selection(inner, USER);
  return (tenant, person, at) => {
    const manager = renderManager(tenant, person, selected, at);
    return manager ? { manager } : {};
  };
}

function getUser(call: Call): Reply {
  const { tenant, query } = call;
  allowQuery(query, ["$select", "$expand", "$count", "$format"]);
  const selected = selection(query, USER);
  const expand = expandOf(query, call.eventual);
  const at = replicaTime(tenant);
  const id = call.parameters[0] as string;
  const person = tenant.directory.userAt(id, at);
  if (tenant.directory.people.isStale(person?.id ?? id.toLowerCase(), at)) tenant.statistics.staleReads++;
  if (!person) throw notFound(id);
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, `${contextOf("users", selected)}/$entity`),
      ...renderUser(person, selected),
      ...expand?.(tenant, person, at),
    },
  };
}

const REQUIRED = ["accountEnabled", "displayName", "mailNickname", "passwordProfile", "userPrincipalName"];

function createUser(call: Call): Reply {
  const { tenant, principal } = call;
  const changes = readChanges(tenant, principal, call.body, undefined);
  const missing = REQUIRED.find((name) => changes[name] === undefined || changes[name] === null);
  if (missing) throw invalidValue(missing, `A value is required for property '${missing}' of resource 'User'.`);
  checkObjectQuota(tenant);
  const complete = completeChanges(tenant, undefined, changes);
  const name = complete.userPrincipalName;
  const { passwordProfile: _, ...properties } = complete;
  const id = tenant.directory.createUser(
    {
      properties: {
        userType: "Member",
        identities: [{ signInType: "userPrincipalName", issuer: tenant.spec.initialDomain, issuerAssignedId: name }],
        ...withoutNull(properties),
      },
    },
    principal.clientId,
  );
  const person = tenant.directory.people.now(id);
  if (!person) throw new Error("the new user is missing");
  return {
    status: 201,
    headers: {
      location: `${tenant.roots.graph}/v2/${tenant.spec.id}/directoryObjects/${id}/Microsoft.DirectoryServices.User`,
    },
    body: { "@odata.context": context(tenant, "users/$entity"), ...renderUser(person, undefined) },
  };
}

const withoutNull = (properties: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null));

function updateUser(call: Call): Reply {
  const person = userToWrite(call);
  const changes = readChanges(call.tenant, call.principal, call.body, person);
  const { passwordProfile: _, ...complete } = completeChanges(call.tenant, person, changes);
  const name = complete.userPrincipalName;
  if (
    typeof name === "string" &&
    lower(name) !== lower(person.state.properties.userPrincipalName) &&
    !("identities" in complete)
  ) {
    complete.identities = renamed(person.state.properties.identities, name);
  }
  call.tenant.directory.updateUser(person.id, complete, call.principal.clientId);
  return { status: 204 };
}

const renamed = (identities: unknown, name: string) =>
  Array.isArray(identities)
    ? identities.map((item) =>
        isRecord(item) && item.signInType === "userPrincipalName" ? { ...item, issuerAssignedId: name } : item,
      )
    : [];

function deleteUser(call: Call): Reply {
  const person = userToWrite(call);
  if (person.record?.administrator && !call.principal.administrator) throw denied();
  call.tenant.directory.softDeleteUser(person.id, call.principal.clientId);
  return { status: 204 };
}

function count(call: Call): Reply {
  allowQuery(call.query, ["$filter", "$search"]);
  if (!call.eventual) throw badRequest("$count is not currently supported.");
  return {
    status: 200,
    headers: { "content-type": "text/plain" },
    text: String(countUsers(call.tenant, userQuery(call), false)),
  };
}

/** Answers 200 whatever the user is; sessions of guests are not ended by it. */
function revokeSessions(call: Call): Reply {
  const person = userToWrite(call);
  call.tenant.directory.updateUser(
    person.id,
    { signInSessionsValidFromDateTime: `${new Date(call.now).toISOString().slice(0, 19)}Z` },
    call.principal.clientId,
  );
  return { status: 200, body: { "@odata.context": context(call.tenant, "Edm.Boolean"), value: true } };
}

const quota = "identity";
export const USER_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/users",
    cost: 2,
    write: false,
    quota,
    permissions: READ_USERS,
    handle: (call) => listUsers(call, false),
  },
  { method: "POST", path: "/users", cost: 1, write: true, quota, permissions: CREATE_USERS, handle: createUser },
  { method: "GET", path: "/users/$count", cost: 1, write: false, quota, permissions: READ_USERS, handle: count },
  { method: "GET", path: "/users/{id}", cost: 1, write: false, quota, permissions: READ_USERS, handle: getUser },
  { method: "PATCH", path: "/users/{id}", cost: 1, write: true, quota, permissions: UPDATE_USERS, handle: updateUser },
  { method: "DELETE", path: "/users/{id}", cost: 1, write: true, quota, permissions: DELETE_USERS, handle: deleteUser },
  {
    method: "POST",
    path: "/users/{id}/revokeSignInSessions",
    cost: 1,
    write: true,
    quota,
    permissions: REVOKE_SESSIONS,
    handle: revokeSessions,
  },
];
