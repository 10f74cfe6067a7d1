/**
 * Directory roles of users: every administrator of this world has one. Sources: Graph
 * `rbacapplication-list-roleassignments.md`, `resources/directoryrole.md`.
 */
import { hash } from "../random.ts";
import { matches, walk } from "./filter.ts";
import { parseFilter } from "./filter-parser.ts";
import { allowQuery, badRequest, type Reply } from "./odata.ts";
import { page } from "./pages.ts";
import { alive } from "./people.ts";
import { READ_ROLES } from "./permissions.ts";
import type { Call, Route, Tenant } from "./runtime.ts";

/** Template of the role User Administrator. */
const TEMPLATE_ID = "fe930be7-5e62-47db-91af-98c3a49a38b1";

/** The role as a member of which a user is listed; the object's id is the tenant's own. */
export function roleOf(tenant: Tenant, userId: string): Record<string, unknown> | undefined {
  const person = tenant.directory.people.now(userId);
  if (!person?.record?.administrator || !alive(person.state)) return undefined;
  return {
    "@odata.type": "#microsoft.graph.directoryRole",
    id: `d1e0${hash(tenant.spec.id).toString(16).padStart(8, "0").slice(0, 4)}-0000-4000-8000-${TEMPLATE_ID.slice(-12)}`,
    displayName: "User Administrator",
    description: "Can manage all aspects of users and groups, including resetting passwords for limited admins.",
    roleTemplateId: TEMPLATE_ID,
  };
}

const PRINCIPAL = /^principalId eq '([^']+)'$/i;

function listAssignments(call: Call): Reply {
  const { tenant, query } = call;
  allowQuery(query, ["$filter", "$select", "$top", "$skiptoken", "$format"]);
  const text = query.get("$filter")?.trim();
  if (text === undefined) return assignments(call, tenant.directory.people.administrators());
  const principal = PRINCIPAL.exec(text)?.[1]?.toLowerCase();
  // The page documents `principalId`, `roleDefinitionId` and `directoryScopeId`; nobody here asks by the others alone.
  if (principal === undefined) throw badRequest("This world lists role assignments by principalId, or all of them.");
  const filter = parseFilter(text);
  return assignments(call, [principal], (item) => matches(filter, (path) => walk(item, path)));
}

function assignments(call: Call, principals: Iterable<string>, wanted: (item: object) => boolean = () => true): Reply {
  const found = [...principals]
    .filter((id) => roleOf(call.tenant, id))
    .map((id) => ({ id: `${id}-1`, roleDefinitionId: TEMPLATE_ID, principalId: id, directoryScopeId: "/" }))
    .filter(wanted);
  const path = "roleManagement/directory/roleAssignments";
  return page(call, found, path, path, (item) => item);
}

export const ROLE_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/roleManagement/directory/roleAssignments",
    cost: 1,
    write: false,
    quota: "identity",
    permissions: READ_ROLES,
    handle: listAssignments,
  },
];
