/** Organizational contacts. Source: Graph `orgcontact-list.md`, `orgcontact-get.md`. */

import { allowQuery, notFound, type Reply } from "./odata.ts";
import { page } from "./pages.ts";
import { READ_CONTACTS } from "./permissions.ts";
import { renderContact } from "./rendering.ts";
import { type Call, context, type Route, replicaTime } from "./runtime.ts";

function list(call: Call): Reply {
  allowQuery(call.query, ["$top", "$skiptoken", "$count", "$format"]);
  const at = replicaTime(call.tenant);
  const contacts = [...call.tenant.directory.contacts.values()].filter((contact) => contact.createdAt <= at);
  return page(call, contacts, "contacts", "contacts", (contact) => renderContact(contact, undefined));
}

function get(call: Call): Reply {
  const id = call.parameters[0] as string;
  const contact = call.tenant.directory.contacts.get(id.toLowerCase());
  if (!contact || contact.createdAt > replicaTime(call.tenant)) throw notFound(id);
  const body = { "@odata.context": context(call.tenant, "contacts/$entity"), ...renderContact(contact, undefined) };
  return { status: 200, body };
}

const read = { method: "GET", write: false, quota: "identity", permissions: READ_CONTACTS, cost: 1 } as const;
export const CONTACT_ROUTES: readonly Route[] = [
  { ...read, path: "/contacts", handle: list },
  { ...read, path: "/contacts/{id}", handle: get },
];
