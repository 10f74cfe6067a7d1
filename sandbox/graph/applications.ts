/** App registrations and directory extensions. Sources: Graph `application-get.md`, `application-post-extensionproperty.md`. */
import type { Application, Extension, ExtensionType } from "./applications-store.ts";
import { matches, walk } from "./filter.ts";
import { parseFilter } from "./filter-parser.ts";
import { allowQuery, badRequest, denied, invalidValue, isRecord, notFound, type Reply } from "./odata.ts";
import { hasAny, READ_APPLICATIONS, READ_OBJECTS, WRITE_APPLICATIONS } from "./permissions.ts";
import { type Call, context, type Route } from "./runtime.ts";

const TYPES: readonly ExtensionType[] = ["Binary", "Boolean", "DateTime", "Integer", "LargeInteger", "String"];
const TARGETS = ["User", "Group", "AdministrativeUnit", "Application", "Device", "Organization"];

const renderApplication = ({ id, appId, displayName, createdDateTime }: Application) => ({
  id,
  appId,
  displayName,
  createdDateTime,
  signInAudience: "AzureADMultipleOrgs",
  deletedDateTime: null,
});
const renderExtension = ({ id, appDisplayName, dataType, isMultiValued, name, targetObjects }: Extension) => ({
  id,
  deletedDateTime: null,
  appDisplayName,
  dataType,
  isMultiValued,
  isSyncedFromOnPremises: false,
  name,
  targetObjects,
});

/** By object id or `appId=…`. */
function applicationOf(call: Call): Application {
  const given = call.parameters[0] as string;
  const { applications } = call.tenant;
  const application = given.startsWith("appId=") ? applications.byAppId(given.slice(6)) : applications.get(given);
  if (!application) throw notFound(given);
  return application;
}

/** With `Application.ReadWrite.OwnedBy` only the app itself. */
function writableApplication(call: Call): Application {
  const application = applicationOf(call);
  const all = hasAny(call.principal, ["Application.ReadWrite.All", "Directory.ReadWrite.All"]);
  if (!all && application.appId.toLowerCase() !== call.principal.clientId.toLowerCase()) throw denied();
  return application;
}

function list(call: Call): Reply {
  allowQuery(call.query, ["$filter", "$select", "$top", "$format"]);
  const text = call.query.get("$filter");
  const filter = text === undefined ? undefined : parseFilter(text);
  const value = call.tenant.applications
    .all()
    .map(renderApplication)
    .filter((application) => !filter || matches(filter, (path) => walk(application, path)));
  return { status: 200, body: { "@odata.context": context(call.tenant, "applications"), value } };
}

function get(call: Call): Reply {
  return {
    status: 200,
    body: { "@odata.context": context(call.tenant, "applications/$entity"), ...renderApplication(applicationOf(call)) },
  };
}

function listExtensions(call: Call): Reply {
  const application = applicationOf(call);
  const value = call.tenant.applications.extensionsOf(application.appId).map(renderExtension);
  return {
    status: 200,
    body: { "@odata.context": context(call.tenant, `applications('${application.id}')/extensionProperties`), value },
  };
}

function createExtension(call: Call): Reply {
  const application = writableApplication(call);
  const { body, tenant } = call;
  if (!isRecord(body)) throw badRequest("Empty Payload. JSON content expected.");
  const { name, dataType, targetObjects, isMultiValued } = body;
  if (typeof name !== "string" || !/^[A-Za-z]\w{0,119}$/.test(name))
    throw invalidValue("name", "Invalid value specified for property 'name' of resource 'ExtensionProperty'.");
  const type = TYPES.find((known) => known === dataType);
  if (!type)
    throw invalidValue("dataType", "Invalid value specified for property 'dataType' of resource 'ExtensionProperty'.");
  if (
    !Array.isArray(targetObjects) ||
    targetObjects.length === 0 ||
    targetObjects.some((target) => !TARGETS.includes(String(target)))
  ) {
    throw invalidValue(
      "targetObjects",
      "Invalid value specified for property 'targetObjects' of resource 'ExtensionProperty'.",
    );
  }
  const full = `extension_${application.appId.replaceAll("-", "").toLowerCase()}_${name}`;
  if (tenant.applications.extension(full)) {
    const message = `An extension property exists with the name ${full}.`;
    throw badRequest(message, [{ code: "ObjectConflict", message, target: "name" }]);
  }
  const extension = tenant.applications.register(
    application,
    name,
    type,
    isMultiValued === true,
    targetObjects.map(String),
    tenant.chance.ids.uuid(),
  );
  return {
    status: 201,
    body: {
      "@odata.context": context(tenant, `applications('${application.id}')/extensionProperties/$entity`),
      ...renderExtension(extension),
    },
  };
}

function extensionOf(call: Call, application: Application): Extension {
  const id = call.parameters[1] as string;
  const extension = call.tenant.applications.extensionsOf(application.appId).find((one) => one.id === id.toLowerCase());
  if (!extension) throw notFound(id);
  return extension;
}

function getExtension(call: Call): Reply {
  const application = applicationOf(call);
  return {
    status: 200,
    body: {
      "@odata.context": context(call.tenant, `applications('${application.id}')/extensionProperties/$entity`),
      ...renderExtension(extensionOf(call, application)),
    },
  };
}

function removeExtension(call: Call): Reply {
  const application = writableApplication(call);
  call.tenant.applications.remove(extensionOf(call, application));
  return { status: 204 };
}

function available(call: Call): Reply {
  const synced = isRecord(call.body) && call.body.isSyncedFromOnPremises === true;
  const value = synced
    ? []
    : call.tenant.applications
        .extensionsOf()
        .map((extension) => ({ "@odata.type": "#microsoft.graph.extensionProperty", ...renderExtension(extension) }));
  return {
    status: 200,
    body: { "@odata.context": context(call.tenant, "Collection(microsoft.graph.extensionProperty)"), value },
  };
}

const quota = "identity";
const read = { method: "GET", write: false, quota, permissions: READ_APPLICATIONS } as const;
const write = { write: true, quota, permissions: WRITE_APPLICATIONS, cost: 1 } as const;
export const APPLICATION_ROUTES: readonly Route[] = [
  { ...read, path: "/applications", cost: 1, handle: list },
  { ...read, path: "/applications/{id}", cost: 1, handle: get },
  { ...read, path: "/applications/{id}/extensionProperties", cost: 2, handle: listExtensions },
  { ...read, path: "/applications/{id}/extensionProperties/{extension}", cost: 1, handle: getExtension },
  { ...write, method: "POST", path: "/applications/{id}/extensionProperties", handle: createExtension },
  { ...write, method: "DELETE", path: "/applications/{id}/extensionProperties/{extension}", handle: removeExtension },
  {
    method: "POST",
    path: "/directoryObjects/getAvailableExtensionProperties",
    cost: 1,
    write: false,
    quota,
    permissions: [...READ_OBJECTS, ...READ_APPLICATIONS],
    handle: available,
  },
];
