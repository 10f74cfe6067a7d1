/** Groups and their members. Sources: Graph `group-*.md` pages. */
import { strings } from "./directory.ts";
import { checkFilter, matches, walk } from "./filter.ts";
import { parseFilter } from "./filter-parser.ts";
import { referenceOf } from "./managers.ts";
import {
  allowQuery,
  badRequest,
  denied,
  invalidValue,
  isRecord,
  notFound,
  ODataError,
  pageSize,
  type Reply,
  unseal,
} from "./odata.ts";
import { CREATE_GROUPS, READ_GROUPS, WRITE_GROUPS, WRITE_MEMBERS } from "./permissions.ts";
import { GROUP_PROPERTIES } from "./properties.ts";
import type { GroupRecord, GroupState } from "./records.ts";
import { stateAt } from "./records.ts";
import { contextOf, GROUP, groupValue, renderContact, renderGroup, renderUser, selection, USER } from "./rendering.ts";
import { type Call, context, indexTime, type Route, replicaTime, type Tenant } from "./runtime.ts";
import { checkObjectQuota } from "./user-writes.ts";
import { nextLink } from "./users.ts";

const PAGE = 100;
const LIST_OPTIONS = ["$select", "$filter", "$top", "$count", "$orderby", "$skiptoken", "$format"];
const MEMBERS_PER_WRITE_MAX = 20;

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

/** One page of a list that is at hand. */
export function page<T>(
  call: Call,
  all: readonly T[],
  path: string,
  contextName: string,
  render: (item: T) => unknown,
): Reply {
  const { tenant, query } = call;
  const size = pageSize(query, PAGE);
  const token = query.get("$skiptoken");
  const content = token === undefined ? { p: 0 } : unseal(token);
  if (!isRecord(content) || typeof content.p !== "number") throw badRequest("Badly formed token.");
  const start = content.p;
  const end = start + size;
  const counted = call.eventual && query.get("$count") === "true" && token === undefined;
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, contextName),
      ...(counted ? { "@odata.count": all.length } : {}),
      ...(end < all.length ? { "@odata.nextLink": nextLink(tenant, path, query, { p: end }) } : {}),
      value: all.slice(start, end).map(render),
    },
  };
}

/** A live group as a replica sees it. */
function groupAt(tenant: Tenant, id: string, at: number): { record: GroupRecord; state: GroupState } {
  const record = tenant.directory.groups.get(id.toLowerCase());
  const state = record && stateAt(record.versions, at);
  if (!record || !state || state.deletedAt !== undefined) throw notFound(id);
  return { record, state };
}

/** The group that a write is about: known to the replica and there in truth. */
function groupToWrite(call: Call): GroupRecord {
  const id = call.parameters[0] as string;
  groupAt(call.tenant, id, replicaTime(call.tenant));
  const { record, state } = groupAt(call.tenant, id, Number.POSITIVE_INFINITY);
  // Groups that carry directory roles need RoleManagement.ReadWrite.Directory.
  if (state.properties.isAssignableToRole === true && !call.principal.administrator) throw denied();
  return record;
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

function readGroupBody(
  body: unknown,
  creating: boolean,
): { properties: Record<string, unknown>; members: unknown[]; owners: unknown[] } {
  if (!isRecord(body)) throw new ODataError(400, "BadRequest", "Empty Payload. JSON content expected.");
  const properties: Record<string, unknown> = {};
  let members: unknown[] = [];
  let owners: unknown[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (name === "members@odata.bind" && Array.isArray(value)) members = value;
    else if (name === "owners@odata.bind" && Array.isArray(value)) owners = value;
    else if (name.startsWith("@odata.")) continue;
    else {
      const spec = Object.hasOwn(GROUP_PROPERTIES, name) ? GROUP_PROPERTIES[name] : undefined;
      if (!spec)
        throw new ODataError(
          400,
          "BadRequest",
          `The property '${name}' does not exist on type 'microsoft.graph.group'. Make sure to only use property names that are defined by the type.`,
        );
      const atCreation =
        creating &&
        (name === "isAssignableToRole" || name === "resourceBehaviorOptions" || name === "resourceProvisioningOptions");
      if (spec.write === "no" && !atCreation)
        throw invalidValue(name, `Property '${name}' is read-only and cannot be set.`);
      const fits =
        value === null
          ? spec.nullable
          : spec.type === "boolean"
            ? typeof value === "boolean"
            : spec.type === "strings"
              ? Array.isArray(value)
              : typeof value === "string" && value !== "" && value.length <= (spec.max ?? Number.POSITIVE_INFINITY);
      if (!fits) throw invalidValue(name, `Invalid value specified for property '${name}' of resource 'Group'.`);
      properties[name] = value;
    }
  }
  return { properties, members, owners };
}

function createGroup(call: Call): Reply {
  const { tenant, principal } = call;
  const { properties, members, owners } = readGroupBody(call.body, true);
  const missing = ["displayName", "mailEnabled", "mailNickname", "securityEnabled"].find(
    (name) => properties[name] === undefined,
  );
  if (missing) throw invalidValue(missing, `A value is required for property '${missing}' of resource 'Group'.`);
  if (members.length + owners.length > MEMBERS_PER_WRITE_MAX)
    throw badRequest("The number of references in a single request exceeds 20.");
  checkObjectQuota(tenant);
  const memberIdsToAdd = members.map((link) => existing(call, link));
  const unified = strings(properties.groupTypes).includes("Unified");
  if (properties.mailEnabled === true && !unified)
    throw badRequest("Cannot Create a mail-enabled security groups and or distribution list.");
  const mail = `${String(properties.mailNickname)}@${tenant.spec.domain}`;
  if (unified && tenant.directory.proxyHolder(mail))
    throw badRequest("Another object with the same value for property mailNickname already exists.", [
      {
        code: "ObjectConflict",
        message: "Another object with the same value for property mailNickname already exists.",
        target: "mailNickname",
      },
    ]);
  const id = tenant.directory.createGroup(
    { properties: { groupTypes: [], ...properties, ...(unified ? { mail, proxyAddresses: [`SMTP:${mail}`] } : {}) } },
    principal.clientId,
  );
  for (const memberId of memberIdsToAdd) tenant.directory.addMember(id, memberId, principal.clientId);
  const state = tenant.directory.groups.stateNow(id);
  if (!state) throw new Error("the new group is missing");
  return {
    status: 201,
    body: { "@odata.context": context(tenant, "groups/$entity"), ...renderGroup({ id, state }, undefined) },
  };
}

/** The id of an object that a reference names, which must exist. */
function existing(call: Call, link: unknown): string {
  const id = referenceOf(call.tenant, { "@odata.id": link });
  const seen = call.tenant.directory.typeAt(id, replicaTime(call.tenant));
  if (!seen || !call.tenant.directory.typeAt(id, Number.POSITIVE_INFINITY)) throw notFound(id);
  return id;
}

function updateGroup(call: Call): Reply {
  const record = groupToWrite(call);
  const { properties, members } = readGroupBody(call.body, false);
  if (members.length > MEMBERS_PER_WRITE_MAX)
    throw badRequest("The number of references in a single request exceeds 20.");
  const ids = members.map((link) => existing(call, link));
  refuseExisting(record, ids);
  call.tenant.directory.updateGroup(record.id, properties, call.principal.clientId);
  for (const id of ids) call.tenant.directory.addMember(record.id, id, call.principal.clientId);
  return { status: 204 };
}

function refuseExisting(record: GroupRecord, ids: readonly string[]): void {
  if (ids.some((id) => record.members.has(id))) {
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'members'.",
    );
  }
}

function addMember(call: Call): Reply {
  const record = groupToWrite(call);
  const id = existing(call, isRecord(call.body) ? call.body["@odata.id"] : undefined);
  refuseExisting(record, [id]);
  call.tenant.directory.addMember(record.id, id, call.principal.clientId);
  return { status: 204 };
}

function removeMember(call: Call): Reply {
  const record = groupToWrite(call);
  const memberId = (call.parameters[1] as string).toLowerCase();
  if (!record.members.has(memberId)) throw notFound(memberId);
  call.tenant.directory.removeMember(record.id, memberId, call.principal.clientId);
  return { status: 204 };
}

function deleteGroup(call: Call): Reply {
  call.tenant.directory.deleteGroup(groupToWrite(call).id, call.principal.clientId);
  return { status: 204 };
}

const quota = "identity";
const read = { method: "GET", write: false, quota, permissions: READ_GROUPS } as const;
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
  { method: "POST", path: "/groups", cost: 1, write: true, quota, permissions: CREATE_GROUPS, handle: createGroup },
  {
    method: "PATCH",
    path: "/groups/{id}",
    cost: 1,
    write: true,
    quota,
    permissions: WRITE_GROUPS,
    handle: updateGroup,
  },
  {
    method: "DELETE",
    path: "/groups/{id}",
    cost: 1,
    write: true,
    quota,
    permissions: WRITE_GROUPS,
    handle: deleteGroup,
  },
  {
    method: "POST",
    path: "/groups/{id}/members/$ref",
    cost: 1,
    write: true,
    quota,
    permissions: WRITE_MEMBERS,
    handle: addMember,
  },
  {
    method: "DELETE",
    path: "/groups/{id}/members/{member}/$ref",
    cost: 1,
    write: true,
    quota,
    permissions: WRITE_MEMBERS,
    handle: removeMember,
  },
];
