/** Sponsors of a user, in every cloud. Sources: Graph `user-post-sponsors.md`, `user-list-sponsors.md`, `user-delete-sponsors.md`. */
import { referenceOf } from "./managers.ts";
import { allowQuery, badRequest, notFound, type Reply } from "./odata.ts";
import { CREATE_USERS, READ_USERS } from "./permissions.ts";
import { type Call, context, type Route, replicaTime } from "./runtime.ts";
import { userToWrite } from "./user-writes.ts";

function listSponsors(call: Call): Reply {
  const { tenant } = call;
  allowQuery(call.query, ["$select", "$count", "$format"]);
  const at = replicaTime(tenant);
  const id = call.parameters[0] as string;
  const person = tenant.directory.userAt(id, at);
  if (!person) throw notFound(id);
  const value = (person.record?.sponsorIds ?? []).flatMap((sponsorId) => {
    const type = tenant.directory.typeAt(sponsorId, at);
    return type ? [{ "@odata.type": `#microsoft.graph.${type}`, id: sponsorId }] : [];
  });
  return { status: 200, body: { "@odata.context": context(tenant, "directoryObjects"), value } };
}

function addSponsor(call: Call): Reply {
  const { tenant } = call;
  const person = userToWrite(call);
  const sponsorId = referenceOf(tenant, call.body);
  const type = tenant.directory.typeAt(sponsorId, replicaTime(tenant));
  if (!type) throw notFound(sponsorId);
  if (type === "orgContact") throw badRequest("Sponsors are users and groups.");
  const known = person.record?.sponsorIds ?? [];
  if (known.includes(sponsorId))
    throw badRequest(
      "One or more added object references already exist for the following modified properties: 'sponsors'.",
    );
  tenant.directory.setSponsors(person.id, [...known, sponsorId], call.principal.clientId);
  return { status: 204 };
}

function removeSponsor(call: Call): Reply {
  const person = userToWrite(call);
  const sponsorId = (call.parameters[1] as string).toLowerCase();
  const known = person.record?.sponsorIds ?? [];
  if (!known.includes(sponsorId)) throw notFound(sponsorId);
  const left = known.filter((id) => id !== sponsorId);
  call.tenant.directory.setSponsors(person.id, left, call.principal.clientId);
  return { status: 204 };
}

const common = { cost: 1, quota: "identity" } as const;
export const SPONSOR_ROUTES: readonly Route[] = [
  {
    ...common,
    method: "GET",
    path: "/users/{id}/sponsors",
    write: false,
    permissions: READ_USERS,
    handle: listSponsors,
  },
  {
    ...common,
    method: "POST",
    path: "/users/{id}/sponsors/$ref",
    write: true,
    permissions: CREATE_USERS,
    handle: addSponsor,
  },
  {
    ...common,
    method: "DELETE",
    path: "/users/{id}/sponsors/{sponsor}/$ref",
    write: true,
    permissions: CREATE_USERS,
    handle: removeSponsor,
  },
];
