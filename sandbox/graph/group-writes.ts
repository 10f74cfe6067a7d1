/** Groups and their members, written. Sources: Graph `group-*.md` pages. */
import { strings } from "./directory.ts";
import { groupAt } from "./groups.ts";
import { referenceOf } from "./managers.ts";
import { badRequest, denied, invalidValue, isRecord, notFound, ODataError, type Reply } from "./odata.ts";
import { CREATE_GROUPS, WRITE_GROUPS, WRITE_MEMBERS } from "./permissions.ts";
import { GROUP_PROPERTIES } from "./properties.ts";
import type { GroupRecord } from "./records.ts";
import { renderGroup } from "./rendering.ts";
import { type Call, context, type Route, replicaTime } from "./runtime.ts";
import { checkObjectQuota } from "./user-writes.ts";

const MEMBERS_PER_WRITE_MAX = 20;

/** The group that a write is about: known to the replica and there in truth. */
function groupToWrite(call: Call): GroupRecord {
  const id = call.parameters[0] as string;
  groupAt(call.tenant, id, replicaTime(call.tenant));
  const { record, state } = groupAt(call.tenant, id, Number.POSITIVE_INFINITY);
  // Groups that carry directory roles need RoleManagement.ReadWrite.Directory.
  if (state.properties.isAssignableToRole === true && !call.principal.administrator) throw denied();
  return record;
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

const write = { cost: 1, write: true, quota: "identity" } as const;
export const GROUP_WRITE_ROUTES: readonly Route[] = [
  { ...write, method: "POST", path: "/groups", permissions: CREATE_GROUPS, handle: createGroup },
  { ...write, method: "PATCH", path: "/groups/{id}", permissions: WRITE_GROUPS, handle: updateGroup },
  { ...write, method: "DELETE", path: "/groups/{id}", permissions: WRITE_GROUPS, handle: deleteGroup },
  { ...write, method: "POST", path: "/groups/{id}/members/$ref", permissions: WRITE_MEMBERS, handle: addMember },
  {
    ...write,
    method: "DELETE",
    path: "/groups/{id}/members/{member}/$ref",
    permissions: WRITE_MEMBERS,
    handle: removeMember,
  },
];
