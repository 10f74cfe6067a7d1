/** The recycle bin. Sources: Graph `directory-deleteditems-list.md`, `-get.md`, `-restore.md`, `-delete.md`. */
import { nameBeforeDeletion, strings } from "./directory.ts";
import { listGroups } from "./groups.ts";
import { allowQuery, conflict, denied, invalidValue, isRecord, notFound, type Reply } from "./odata.ts";
import type { Person } from "./people.ts";
import { hasAny, READ_BIN, WRITE_BIN } from "./permissions.ts";
import { contextOf, GROUP, renderGroup, renderUser, selection, USER } from "./rendering.ts";
import { type Call, context, type Route, replicaTime } from "./runtime.ts";
import { isVerified } from "./user-writes.ts";
import { listUsers } from "./users.ts";

type Found = { kind: "user"; person: Person } | { kind: "group"; id: string };

const READ_DELETED_USERS = [
  "User.Read.All",
  "User.ReadWrite.All",
  "User.DeleteRestore.All",
  "Directory.Read.All",
  "Directory.ReadWrite.All",
];
const WRITE_DELETED_USERS = ["User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All"];
const READ_DELETED_GROUPS = ["Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All"];
const WRITE_DELETED_GROUPS = ["Group.ReadWrite.All", "Directory.ReadWrite.All"];

/** Something in the bin, as of a time. */
function find(call: Call, id: string, at: number): Found {
  const { directory } = call.tenant;
  const person = directory.people.find(id, at);
  if (person && person.state.deletedAt !== undefined) return { kind: "user", person };
  const group = directory.groups.stateAt(id, at);
  if (group && group.deletedAt !== undefined) return { kind: "group", id };
  throw notFound(id);
}

const idOf = (call: Call) => (call.parameters[0] as string).toLowerCase();

function get(call: Call): Reply {
  allowQuery(call.query, ["$select", "$format"]);
  const at = replicaTime(call.tenant);
  const found = find(call, idOf(call), at);
  if (found.kind === "user") {
    if (!hasAny(call.principal, READ_DELETED_USERS)) throw denied();
    const selected = selection(call.query, USER);
    const shown = { "@odata.type": "#microsoft.graph.user", ...renderUser(found.person, selected) };
    return {
      status: 200,
      body: { "@odata.context": context(call.tenant, `${contextOf("directoryObjects", selected)}/$entity`), ...shown },
    };
  }
  if (!hasAny(call.principal, READ_DELETED_GROUPS)) throw denied();
  const state = call.tenant.directory.groups.stateAt(found.id, at);
  if (!state) throw notFound(found.id);
  const shown = {
    "@odata.type": "#microsoft.graph.group",
    ...renderGroup({ id: found.id, state }, selection(call.query, GROUP)),
  };
  return { status: 200, body: { "@odata.context": context(call.tenant, "directoryObjects/$entity"), ...shown } };
}

/** What a write is about: in the bin for the replica and in truth. */
function findToWrite(call: Call): Found {
  const id = idOf(call);
  find(call, id, replicaTime(call.tenant));
  const found = find(call, id, Number.POSITIVE_INFINITY);
  if (!hasAny(call.principal, found.kind === "user" ? WRITE_DELETED_USERS : WRITE_DELETED_GROUPS)) throw denied();
  if (found.kind === "user" && found.person.record?.administrator && !call.principal.administrator) throw denied();
  return found;
}

function restore(call: Call): Reply {
  const { tenant, principal } = call;
  const found = findToWrite(call);
  if (found.kind === "group") {
    tenant.directory.restoreGroup(found.id, principal.clientId);
    const state = tenant.directory.groups.stateNow(found.id);
    if (!state) throw new Error("the restored group is missing");
    return {
      status: 200,
      body: {
        "@odata.context": context(tenant, "directoryObjects/$entity"),
        "@odata.type": "#microsoft.graph.group",
        ...renderGroup({ id: found.id, state }, undefined),
      },
    };
  }
  const { person } = found;
  const options = isRecord(call.body) ? call.body : {};
  const changes: Record<string, unknown> = {};

  const given = options.newUserPrincipalName;
  const name = typeof given === "string" ? given : nameBeforeDeletion(person.id, person.state);
  if (typeof given === "string" && !isVerified(tenant, given)) {
    throw invalidValue(
      "userPrincipalName",
      "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain names in your organization.",
    );
  }
  if (tenant.directory.userByName(name, Number.POSITIVE_INFINITY)) throw conflict("userPrincipalName");
  changes.userPrincipalName = name;

  const proxies = strings(person.state.properties.proxyAddresses);
  const free = proxies.filter((proxy) => tenant.directory.proxyHolder(proxy) === undefined);
  if (free.length < proxies.length) {
    if (options.autoReconcileProxyConflict !== true) throw conflict("proxyAddresses");
    changes.proxyAddresses = free;
  }
  tenant.directory.restoreUser(person.id, principal.clientId, changes);
  const restored = tenant.directory.people.now(person.id);
  if (!restored) throw new Error("the restored user is missing");
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, "directoryObjects/$entity"),
      "@odata.type": "#microsoft.graph.user",
      ...renderUser(restored, undefined),
    },
  };
}

function purge(call: Call): Reply {
  const found = findToWrite(call);
  const { directory } = call.tenant;
  if (found.kind === "user") directory.purgeUser(found.person.id, call.principal.clientId);
  else directory.purgeGroup(found.id, call.principal.clientId);
  return { status: 204 };
}

const quota = "identity";
const read = { method: "GET", write: false, quota, permissions: READ_BIN } as const;
const write = { write: true, quota, permissions: WRITE_BIN, cost: 1 } as const;
export const BIN_ROUTES: readonly Route[] = [
  { ...read, path: "/directory/deletedItems/microsoft.graph.user", cost: 1, handle: (call) => listUsers(call, true) },
  { ...read, path: "/directory/deletedItems/microsoft.graph.group", cost: 1, handle: (call) => listGroups(call, true) },
  { ...read, path: "/directory/deletedItems/{id}", cost: 1, handle: get },
  { ...read, path: "/directory/deletedItems/microsoft.graph.user/{id}", cost: 1, handle: get },
  { ...read, path: "/directory/deletedItems/microsoft.graph.group/{id}", cost: 1, handle: get },
  { ...write, method: "POST", path: "/directory/deletedItems/{id}/restore", handle: restore },
  { ...write, method: "DELETE", path: "/directory/deletedItems/{id}", handle: purge },
];
