import { checkFilter, matches, walk } from "./filter.ts";
import { parseFilter } from "./filter-parser.ts";
import { allowQuery, badRequest, notFound, ODataError, type Reply } from "./odata.ts";
import { page } from "./pages.ts";
import { READ_GROUPS } from "./permissions.ts";
import { GROUP_PROPERTIES } from "./properties.ts";
import type { GroupRecord, GroupState } from "./records.ts";
import { stateAt } from "./records.ts";
import { contextOf, GROUP, groupValue, renderContact, renderGroup, renderUser, selection, USER } from "./rendering.ts";
import { type Call, context, indexTime, type Route, replicaTime, type Tenant } from "./runtime.ts";

const LIST_OPTIONS = ["$select", "$filter", "$top", "$count", "$orderby", "$skiptoken", "$format"];

interface Found {
  id: string;
  state: GroupState;
}

/** Groups that this replica knows, deleted or not. */
export function groupsAt(tenant: Tenant, at: number, deleted: boolean): Found[] {
  const found: Found[] = [];
  for (const record of tenant.directory.groups.all()) {
    const state = stateAt(record.versions, at);
    if (state && (state.deletedAt !== undefined) === deleted) found.push({ id: record.id, state });
  }
  return found;
}

export function listGroups(call: Call, deleted: boolean): Reply {
  const { tenant, query } = call;
  allowQuery(query, LIST_OPTIONS);
  const selected = selection(query, GROUP);
  const advanced = call.eventual && query.get("$count") === "true";
  const text = query.get("$filter");
  const filter = text === undefined ? undefined : parseFilter(text);
  if (filter) checkFilter(filter, GROUP, advanced);
  const at = call.eventual ? indexTime(tenant) : replicaTime(tenant);
  const all = groupsAt(tenant, at, deleted).filter(
    (group) => !filter || matches(filter, (path) => walk(groupValue(group, path[0] ?? ""), path.slice(1))),
  );
  const [sort, direction] = (query.get("$orderby") ?? "").trim().split(/\s+/);
  if (sort === "displayName") {
    const sign = direction === "desc" ? -1 : 1;
    all.sort((a, b) => sign * String(groupValue(a, sort)).localeCompare(String(groupValue(b, sort))));
  }
  return page(
    call,
    all,
    deleted ? "directory/deletedItems/microsoft.graph.group" : "groups",
    contextOf(deleted ? "directoryObjects/microsoft.graph.group" : "groups", selected),
    (group) => renderGroup(group, selected),
  );
}

/** A live group as a replica sees it. */
export function groupAt(tenant: Tenant, id: string, at: number): { record: GroupRecord; state: GroupState } {
  const record = tenant.directory.groups.get(id.toLowerCase());
  const state = record && stateAt(record.versions, at);
  if (!record || !state || state.deletedAt !== undefined) throw notFound(id);
  return { record, state };
}

function getGroup(call: Call): Reply {
  const { tenant } = call;
  allowQuery(call.query, ["$select", "$format", "$count"]);
  const selected = selection(call.query, GROUP);
  const { record, state } = groupAt(tenant, call.parameters[0] as string, replicaTime(tenant));
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, `${contextOf("groups", selected)}/$entity`),
      ...renderGroup({ id: record.id, state }, selected),
    },
  };
}

function countGroups(call: Call): Reply {
  if (!call.eventual) throw badRequest("$count is not currently supported.");
  return {
    status: 200,
    headers: { "content-type": "text/plain" },
    text: String(groupsAt(call.tenant, indexTime(call.tenant), false).length),
  };
}

/** The typed object behind an id, as a member of something. */
export function renderObject(
  tenant: Tenant,
  id: string,
  at: number,
  select: (resource: typeof USER) => readonly string[] | undefined,
): Record<string, unknown> | undefined {
  const { directory } = tenant;
  const person = directory.userAt(id, at);
  if (person) return { "@odata.type": "#microsoft.graph.user", ...renderUser(person, select(USER)) };
  const state = directory.groups.stateAt(id, at);
  if (state && state.deletedAt === undefined)
    return { "@odata.type": "#microsoft.graph.group", ...renderGroup({ id, state }, select(GROUP)) };
  const contact = directory.contacts.get(id);
  return contact && contact.createdAt <= at
    ? { "@odata.type": "#microsoft.graph.orgContact", ...renderContact(contact, select(USER)) }
    : undefined;
}

/** `$select` of mixed collections: a property that one type lacks is left out there. */
export function mixedSelection(call: Call): (resource: typeof USER) => readonly string[] | undefined {
  const text = call.query.get("$select");
  if (text === undefined) return () => undefined;
  selection(call.query, {
    ...USER,
    type: "microsoft.graph.directoryObject",
    properties: { ...USER.properties, ...GROUP_PROPERTIES },
  });
  const wanted = text.split(",").map((name) => name.trim());
  return (resource) => wanted.filter((name) => name in resource.properties || name.startsWith("extension_"));
}

/** Members that the app may see: without `Member.Read.Hidden` a hidden membership looks empty. */
function memberIds(call: Call, group: GroupRecord, at: number, transitive: boolean): string[] {
  const { directory } = call.tenant;
  const hidden = stateAt(group.versions, at)?.properties.visibility === "HiddenMembership";
  if (hidden && !call.principal.roles.has("Member.Read.Hidden")) return [];
  const found = new Set<string>();
  const seen = new Set([group.id]);
  const queue = [group];
  for (let next = queue.shift(); next; next = queue.shift()) {
    for (const id of directory.groups.membersAt(next, at)) {
      if (directory.typeAt(id, at) === undefined) continue;
      found.add(id);
      const nested = transitive ? directory.groups.get(id) : undefined;
      if (nested && !seen.has(id)) {
        seen.add(id);
        queue.push(nested);
      }
    }
  }
  return [...found];
}

const CASTS: Readonly<Record<string, string>> = {
  "microsoft.graph.user": "user",
  "microsoft.graph.group": "group",
  "microsoft.graph.orgContact": "orgContact",
};

function listMembers(call: Call, transitive: boolean, cast: string | undefined): Reply {
  const { tenant, query } = call;
  const name = transitive ? "transitiveMembers" : "members";
  const type = cast === undefined ? undefined : castOf(call, cast);
  allowQuery(query, ["$select", "$top", "$count", "$skiptoken", "$format"]);
  const select = mixedSelection(call);
  const at = call.eventual ? indexTime(tenant) : replicaTime(tenant);
  const { record } = groupAt(tenant, call.parameters[0] as string, at);
  const ids = memberIds(call, record, at, transitive).filter(
    (id) => type === undefined || tenant.directory.typeAt(id, at) === type,
  );
  const path = `groups/${record.id}/${name}${cast ? `/${cast}` : ""}`;
  const selected = query.get("$select");
  const what = `${cast ? "users" : "directoryObjects"}${selected ? `(${selected})` : ""}`;
  return page(call, ids, path, what, (id) => renderObject(tenant, id, at, select));
}

/** OData casts on members are advanced queries. */
function castOf(call: Call, cast: string): string {
  const type = CASTS[cast];
  if (type === undefined) throw new ODataError(400, "BadRequest", `Resource not found for the segment '${cast}'.`);
  if (!call.eventual || call.query.get("$count") !== "true") {
    throw badRequest(
      "The request is not supported: OData cast requires $count=true and the ConsistencyLevel: eventual header.",
    );
  }
  return type;
}

function countMembers(call: Call, transitive: boolean, cast: string | undefined): Reply {
  const { tenant } = call;
  if (!call.eventual) throw badRequest("$count is not currently supported.");
  const at = indexTime(tenant);
  const { record } = groupAt(tenant, call.parameters[0] as string, at);
  const type = cast === undefined ? undefined : CASTS[cast];
  const ids = memberIds(call, record, at, transitive).filter(
    (id) => type === undefined || tenant.directory.typeAt(id, at) === type,
  );
  return { status: 200, headers: { "content-type": "text/plain" }, text: String(ids.length) };
}

const read = { method: "GET", write: false, quota: "identity", permissions: READ_GROUPS } as const;
export const GROUP_ROUTES: readonly Route[] = [
  { ...read, path: "/groups", cost: 1, handle: (call) => listGroups(call, false) },
  { ...read, path: "/groups/$count", cost: 1, handle: countGroups },
  { ...read, path: "/groups/{id}", cost: 1, handle: getGroup },
  { ...read, path: "/groups/{id}/members", cost: 3, handle: (call) => listMembers(call, false, undefined) },
  { ...read, path: "/groups/{id}/members/$count", cost: 3, handle: (call) => countMembers(call, false, undefined) },
  {
    ...read,
    path: "/groups/{id}/members/{cast}",
    cost: 3,
    handle: (call) => listMembers(call, false, call.parameters[1]),
  },
  {
    ...read,
    path: "/groups/{id}/members/{cast}/$count",
    cost: 3,
    handle: (call) => countMembers(call, false, call.parameters[1]),
  },
  { ...read, path: "/groups/{id}/transitiveMembers", cost: 5, handle: (call) => listMembers(call, true, undefined) },
  {
    ...read,
    path: "/groups/{id}/transitiveMembers/$count",
    cost: 5,
    handle: (call) => countMembers(call, true, undefined),
  },
  {
    ...read,
    path: "/groups/{id}/transitiveMembers/{cast}",
    cost: 5,
    handle: (call) => listMembers(call, true, call.parameters[1]),
  },
  {
    ...read,
    path: "/groups/{id}/transitiveMembers/{cast}/$count",
    cost: 5,
    handle: (call) => countMembers(call, true, call.parameters[1]),
  },
];
