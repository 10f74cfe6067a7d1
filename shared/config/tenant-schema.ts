import * as z from "zod";
import { CLOUDS, type Cloud } from "../domain/cloud.ts";
import { EXTENSION_TYPES } from "../domain/mapping/targets.ts";
import { CLIENT, EXTENSION, ID } from "./examples.ts";
import { Inbound, Outbound } from "./policy.ts";
import { name, says } from "./says.ts";

/** `tenants` of `sync.config.json`. */

const extensionName = () =>
  z.string().regex(/^extension_[0-9a-f]{32}_\w+$/, "use the full name: extension_{appId without hyphens}_{name}");
const clouds = Object.keys(CLOUDS) as [Cloud, ...Cloud[]];

const Credential = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: says(
      z.literal("certificate"),
      "A certificate of an app registration in the tenant's cloud. Works for every cloud.",
      "certificate",
    ),
    clientId: says(z.guid(), "Application (client) id of the registration.", CLIENT),
    path: says(
      z.string().min(1).optional(),
      "A PEM file with certificate and private key. Set this or `keyVault`.",
      "certs/gov.pem",
    ),
    keyVault: says(
      z
        .strictObject({
          url: says(z.url({ protocol: /^https$/ }), "The vault.", "https://kv-contoso.vault.azure.net"),
          name: says(z.string().min(1), "The certificate's name in the vault.", "sync-gov"),
        })
        .optional(),
      "A certificate in Key Vault, read with the app's managed identity. Set this or `path`.",
      { url: "https://kv-contoso.vault.azure.net", name: "sync-gov" },
    ),
  }),
  z.strictObject({
    kind: says(
      z.literal("managedIdentity"),
      "The app's own managed identity: only for the tenant that the app lives in.",
      "managedIdentity",
    ),
    clientId: says(z.guid().optional(), "Of a user-assigned identity; absent: the system-assigned one.", CLIENT),
  }),
  z.strictObject({
    kind: says(
      z.literal("federated"),
      "A managed identity as federated credential of a multitenant app registration, for every tenant of the same cloud.",
      "federated",
    ),
    clientId: says(z.guid(), "Application (client) id of the registration.", CLIENT),
    managedIdentityClientId: says(z.guid(), "Client id of the user-assigned identity.", ID),
  }),
]);
export const TenantConfig = z.strictObject({
  name: says(name(), "How jobs name the tenant.", "contoso-emea"),
  id: says(z.guid().toLowerCase(), "Tenant (directory) id.", ID),
  cloud: says(
    z.enum(clouds),
    "The Microsoft cloud: `global` (also GCC), `usGov` (GCC High), `usGovDoD`, `china` (21Vianet).",
    "global",
  ),
  credential: says(Credential, "How the app signs in to this tenant. Never a secret.", {
    kind: "certificate",
    clientId: CLIENT,
    path: "certs/emea.pem",
  }),
  redirectUrl: says(
    z.url({ protocol: /^https$/ }).optional(),
    "Where people who are invited into this tenant land. Default: My Apps of the tenant's cloud.",
    "https://portal.contoso.example",
  ),
  stampAttribute: says(
    extensionName().optional(),
    "The directory extension (String, User) on target users that names their source user. Default: `extension_{clientId without hyphens}_syncSource`.",
    "extension_7a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d_syncSource",
  ),
  defaultDomain: says(
    z.hostname().optional(),
    "The tenant's default verified domain: what `DefaultDomain()` says in mappings of jobs that come from here.",
    "contoso.com",
  ),
  extensions: says(
    z
      .array(
        z.strictObject({
          name: says(extensionName(), "Full name of the directory extension; letter case counts.", EXTENSION),
          dataType: says(z.enum(EXTENSION_TYPES), "What it holds: mapped values are written in this type.", "String"),
          multiValued: says(z.boolean().default(false), "Holds a list. An addition of ours, for `String` only.", false),
          create: says(
            z.boolean().default(false),
            "Made in the tenant when it is missing: one of the app's own registration, with Application.ReadWrite.OwnedBy.",
            true,
          ),
        }),
      )
      .optional(),
    "Directory extensions on target users that mappings write. One that is not declared takes values as they come.",
    [{ name: EXTENSION, dataType: "Integer", create: true }],
  ),
  inbound: says(
    Inbound.optional(),
    "What the administrators of this tenant allow jobs to do in it; a job that asks for more is refused.",
    { userTypes: ["guest"], sources: ["contoso-emea"], maxUsers: 5_000 },
  ),
  outbound: says(
    Outbound.optional(),
    "What the administrators of this tenant let out of it; a job that takes more is refused. Default: what the mappings name.",
    { attributes: ["displayName", "department"] },
  ),
});
export type TenantConfig = z.infer<typeof TenantConfig>;
