/**
 * What a user or group is a member of, and objects by id. Sources: Graph `user-list-memberof.md`,
 * `directoryobject-checkmembergroups.md`, `directoryobject-getmembergroups.md`, `directoryobject-getbyids.md`.
 */
import { mixedSelection, renderObject } from "./groups.ts";
import { allowQuery, badRequest, isGuid, isRecord, notFound, ODataError, type Reply } from "./odata.ts";
import { page } from "./pages.ts";
import { permits, READ_GROUPS, READ_MEMBERSHIPS, READ_OBJECTS, READ_ROLES, READ_USERS } from "./permissions.ts";
import type { GroupRecord } from "./records.ts";
import { stateAt } from "./records.ts";
import { roleOf } from "./roles.ts";
import { type Call, context, indexTime, type Route, replicaTime, type Tenant } from "./runtime.ts";

const CHECKED_GROUPS_MAX = 20;
const IDS_MAX = 1000;

/** Groups that something is in, directly or through others. */
export function groupsOf(tenant: Tenant, id: string, at: number, transitive: boolean): GroupRecord[] {
  const found = new Map<string, GroupRecord>();
  const queue = [id];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const group of tenant.directory.groups.groupsOfAt(next, at)) {
      if (found.has(group.id)) continue;
      found.set(group.id, group);
      if (transitive) queue.push(group.id);
    }
  }
  return [...found.values()];
}

/** The user or group that the path names, known to this replica. */
function member(call: Call, at: number): string {
  const given = call.parameters[0] as string;
  const { directory } = call.tenant;
  const id = directory.userAt(given, at)?.id ?? given.toLowerCase();
  const type = directory.typeAt(id, at);
  const wanted = call.route.path.startsWith("/users") ? "user" : call.route.path.startsWith("/groups") ? "group" : type;
  if (type === undefined || type !== wanted) throw notFound(given);
  return id;
}

function memberOf(call: Call, transitive: boolean, cast: string | undefined): Reply {
  const { tenant, query } = call;
  allowQuery(query, ["$select", "$top", "$count", "$skiptoken", "$format"]);
  if (cast !== undefined) {
    if (cast !== "microsoft.graph.group")
      throw new ODataError(400, "BadRequest", `Resource not found for the segment '${cast}'.`);
    if (!call.eventual || query.get("$count") !== "true") {
      throw badRequest(
        "The request is not supported: OData cast requires $count=true and the ConsistencyLevel: eventual header.",
      );
    }
  }
  const select = mixedSelection(call);
  const at = call.eventual ? indexTime(tenant) : replicaTime(tenant);
  const id = member(call, at);
  const groups = groupsOf(tenant, id, at, transitive).map((group) => renderObject(tenant, group.id, at, select));
  const role = cast === undefined ? roleOf(tenant, id) : undefined;
  const readable =
    role && (permits(call.principal, READ_ROLES) ? role : { "@odata.type": role["@odata.type"], id: role.id });
  const path = `${call.route.path.split("/")[1]}/${id}/${transitive ? "transitiveMemberOf" : "memberOf"}${cast ? `/${cast}` : ""}`;
  const all = [...groups, ...(readable ? [readable] : [])];
  return page(call, all, path, cast ? "groups" : "directoryObjects", (object) => object);
}

function texts(body: unknown, name: string, most: number): string[] {
  const value = isRecord(body) ? body[name] : undefined;
  if (!Array.isArray(value) || value.some((item) => typeof item !== "string")) {
    throw badRequest(
      `A value without a type name was found or the parameter '${name}' is missing or not a collection of strings.`,
    );
  }
  if (value.length > most) throw badRequest(`The number of values in '${name}' exceeds the maximum of ${most}.`);
  return value.map((item) => String(item).toLowerCase());
}

function checkMembers(call: Call, parameter: "groupIds" | "ids"): Reply {
  const asked = texts(call.body, parameter, CHECKED_GROUPS_MAX);
  const wrong = asked.find((id) => !isGuid(id));
  if (wrong !== undefined) throw badRequest(`Invalid object identifier '${wrong}'.`);
  const at = replicaTime(call.tenant);
  const found = new Set(groupsOf(call.tenant, member(call, at), at, true).map((group) => group.id));
  const value = [...new Set(asked)].filter((id) => found.has(id));
  return { status: 200, body: { "@odata.context": context(call.tenant, "Collection(Edm.String)"), value } };
}

function getMembers(call: Call): Reply {
  const securityOnly = isRecord(call.body) && call.body.securityEnabledOnly === true;
  const at = replicaTime(call.tenant);
  const value = groupsOf(call.tenant, member(call, at), at, true)
    .filter((group) => !securityOnly || stateAt(group.versions, at)?.properties.securityEnabled === true)
    .map((group) => group.id);
  return { status: 200, body: { "@odata.context": context(call.tenant, "Collection(Edm.String)"), value } };
}

/** Objects that do not exist are left out; of types that the app may not read only the id comes. */
function getByIds(call: Call): Reply {
  const { tenant } = call;
  const ids = texts(call.body, "ids", IDS_MAX);
  const wrong = ids.find((id) => !isGuid(id));
  if (wrong !== undefined) throw badRequest(`Invalid object identifier '${wrong}'.`);
  const types =
    isRecord(call.body) && call.body.types !== undefined ? texts(call.body, "types", IDS_MAX) : ["directoryobject"];
  const select = mixedSelection(call);
  const at = replicaTime(tenant);
  const wanted = (type: string) => types.includes("directoryobject") || types.includes(type.toLowerCase());
  const value: unknown[] = [];
  for (const id of new Set(ids)) {
    const type = tenant.directory.typeAt(id, at);
    if (type !== undefined && wanted(type)) value.push(renderObject(tenant, id, at, select));
  }
  return { status: 200, body: { "@odata.context": context(tenant, "directoryObjects"), value } };
}

function getObject(call: Call): Reply {
  const { tenant } = call;
  const at = replicaTime(tenant);
  const id = (call.parameters[0] as string).toLowerCase();
  const select = mixedSelection(call);
  const found = renderObject(tenant, id, at, select);
  if (!found) throw notFound(id);
  const readable = found["@odata.type"] === "#microsoft.graph.group" ? READ_GROUPS : READ_USERS;
  const shown = permits(call.principal, readable) ? found : { "@odata.type": found["@odata.type"], id };
  return { status: 200, body: { "@odata.context": context(tenant, "directoryObjects/$entity"), ...shown } };
}

const quota = "identity";
const read = { write: false, quota, permissions: READ_MEMBERSHIPS } as const;
const groupRead = { write: false, quota, permissions: READ_GROUPS } as const;
const objectRead = { write: false, quota, permissions: READ_OBJECTS } as const;

const routesOf = (root: string, common: Pick<Route, "write" | "quota" | "permissions">): Route[] => [
  { ...common, method: "GET", path: `${root}/memberOf`, cost: 2, handle: (call) => memberOf(call, false, undefined) },
  {
    ...common,
    method: "GET",
    path: `${root}/memberOf/{cast}`,
    cost: 2,
    handle: (call) => memberOf(call, false, call.parameters[1]),
  },
  {
    ...common,
    method: "GET",
    path: `${root}/transitiveMemberOf`,
    cost: 2,
    handle: (call) => memberOf(call, true, undefined),
  },
  {
    ...common,
    method: "GET",
    path: `${root}/transitiveMemberOf/{cast}`,
    cost: 2,
    handle: (call) => memberOf(call, true, call.parameters[1]),
  },
  {
    ...common,
    method: "POST",
    path: `${root}/checkMemberGroups`,
    cost: 4,
    handle: (call) => checkMembers(call, "groupIds"),
  },
  {
    ...common,
    method: "POST",
    path: `${root}/checkMemberObjects`,
    cost: 4,
    handle: (call) => checkMembers(call, "ids"),
  },
  { ...common, method: "POST", path: `${root}/getMemberGroups`, cost: 2, handle: getMembers },
  { ...common, method: "POST", path: `${root}/getMemberObjects`, cost: 2, handle: getMembers },
];

export const MEMBERSHIP_ROUTES: readonly Route[] = [
  ...routesOf("/users/{id}", read),
  ...routesOf("/groups/{id}", groupRead),
  ...routesOf("/directoryObjects/{id}", objectRead),
  { ...objectRead, method: "GET", path: "/directoryObjects/{id}", cost: 1, handle: getObject },
  { ...objectRead, method: "POST", path: "/directoryObjects/getByIds", cost: 5, handle: getByIds },
];
