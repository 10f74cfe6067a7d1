/** Manager and direct reports. Sources: Graph `user-post-manager.md`, `user-list-manager.md`, `user-list-directreports.md`. */
import { allowQuery, badRequest, isGuid, isRecord, notFound, ODataError, type Reply } from "./odata.ts";
import { alive, type Person } from "./people.ts";
import { CREATE_USERS, READ_USERS } from "./permissions.ts";
import { contextOf, renderUser, selection, USER } from "./rendering.ts";
import { type Call, context, type Route, replicaTime, type Tenant } from "./runtime.ts";
import { userToWrite } from "./user-writes.ts";

/** The manager as part of a user; undefined when there is none who still exists. */
export function renderManager(
  tenant: Tenant,
  person: Person,
  selected: readonly string[] | undefined,
  at: number,
): Record<string, unknown> | undefined {
  const { managerId } = person.state;
  const manager = managerId === undefined ? undefined : tenant.directory.userAt(managerId, at);
  return manager && { "@odata.type": "#microsoft.graph.user", ...renderUser(manager, selected) };
}

/** The object id in `{ "@odata.id": "{root}/v1.0/users/{id}" }`; the root must be this cloud's. */
export function referenceOf(tenant: Tenant, body: unknown): string {
  const link = isRecord(body) ? body["@odata.id"] : undefined;
  if (typeof link !== "string") throw badRequest("An '@odata.id' reference to a directory object is required.");
  const id = /^(https:\/\/[^/]+(?::\d+)?)\/(?:v1\.0|beta)\/(?:users|groups|directoryObjects)\/([^/?]+)$/i.exec(link);
  if (!id || id[1]?.toLowerCase() !== tenant.roots.graph.toLowerCase()) {
    throw new ODataError(
      400,
      "Request_BadRequest",
      `Invalid URL format specified in @odata.id or @odata.bind for '${link}'.`,
    );
  }
  return decodeURIComponent(id[2] as string).toLowerCase();
}

function getManager(call: Call, reference: boolean): Reply {
  const { tenant } = call;
  allowQuery(call.query, ["$select", "$count", "$format"]);
  const selected = selection(call.query, USER);
  const at = replicaTime(tenant);
  const id = call.parameters[0] as string;
  const person = tenant.directory.userAt(id, at);
  if (!person) throw notFound(id);
  const manager = renderManager(tenant, person, selected, at);
  if (!manager)
    throw new ODataError(
      404,
      "Request_ResourceNotFound",
      "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
    );
  if (reference) {
    return {
      status: 200,
      body: {
        "@odata.context": context(tenant, "$ref"),
        "@odata.id": `${tenant.roots.graph}/v2/${tenant.spec.id}/directoryObjects/${String(manager.id)}/Microsoft.DirectoryServices.User`,
      },
    };
  }
  return {
    status: 200,
    body: { "@odata.context": context(tenant, `${contextOf("directoryObjects", selected)}/$entity`), ...manager },
  };
}

function setManager(call: Call): Reply {
  const { tenant } = call;
  const person = userToWrite(call);
  const reference = referenceOf(tenant, call.body);
  const seen =
    isGuid(reference) || reference.includes("@") ? tenant.directory.userAt(reference, replicaTime(tenant)) : undefined;
  const manager = seen && tenant.directory.people.now(seen.id);
  if (!manager || !alive(manager.state)) throw notFound(reference);
  if (manager.id === person.id) throw badRequest("A user cannot be their own manager.");
  tenant.directory.updateUser(person.id, {}, call.principal.clientId, manager.id);
  return { status: 204 };
}

function removeManager(call: Call): Reply {
  const person = userToWrite(call);
  if (person.state.managerId === undefined) {
    throw new ODataError(
      404,
      "Request_ResourceNotFound",
      "Resource 'manager' does not exist or one of its queried reference-property objects are not present.",
    );
  }
  call.tenant.directory.updateUser(person.id, {}, call.principal.clientId, null);
  return { status: 204 };
}

function listReports(call: Call): Reply {
  const { tenant } = call;
  allowQuery(call.query, ["$select", "$top", "$count", "$format", "$skiptoken"]);
  const selected = selection(call.query, USER);
  const at = replicaTime(tenant);
  const id = call.parameters[0] as string;
  const person = tenant.directory.userAt(id, at);
  if (!person) throw notFound(id);
  const value = tenant.directory.people
    .possibleReports(person.id)
    .map((reportId) => tenant.directory.people.find(reportId, at))
    .filter(
      (report): report is Person => report !== undefined && alive(report.state) && report.state.managerId === person.id,
    )
    .map((report) => ({ "@odata.type": "#microsoft.graph.user", ...renderUser(report, selected) }));
  return { status: 200, body: { "@odata.context": context(tenant, contextOf("directoryObjects", selected)), value } };
}

const quota = "identity";
export const MANAGER_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/users/{id}/manager",
    cost: 1,
    write: false,
    quota,
    permissions: READ_USERS,
    handle: (call) => getManager(call, false),
  },
  {
    method: "GET",
    path: "/users/{id}/manager/$ref",
    cost: 1,
    write: false,
    quota,
    permissions: READ_USERS,
    handle: (call) => getManager(call, true),
  },
  {
    method: "PUT",
    path: "/users/{id}/manager/$ref",
    cost: 1,
    write: true,
    quota,
    permissions: CREATE_USERS,
    handle: setManager,
  },
  {
    method: "DELETE",
    path: "/users/{id}/manager/$ref",
    cost: 1,
    write: true,
    quota,
    permissions: CREATE_USERS,
    handle: removeManager,
  },
  {
    method: "GET",
    path: "/users/{id}/directReports",
    cost: 1,
    write: false,
    quota,
    permissions: READ_USERS,
    handle: listReports,
  },
];
