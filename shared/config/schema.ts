import * as z from "zod";
import { CLOUDS, type Cloud } from "../domain/cloud.ts";

/**
 * `sync.config.json`, as people write it. Every key says what it means and shows an example: `docs/configuration.md` and the
 * JSON Schema for editors are made from this file.
 */

const clouds = Object.keys(CLOUDS) as [Cloud, ...Cloud[]];
const name = () => z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use 1 to 63 lower-case letters, digits and hyphens");
const says = <T extends z.ZodType>(schema: T, description: string, example: unknown): T =>
  schema.meta({ description, examples: [example] });

const ID = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";
const CLIENT = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const GROUP = "c0ffee00-1234-4abc-8def-0123456789ab";

export const Credential = z.discriminatedUnion("kind", [
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
export type Credential = z.infer<typeof Credential>;

export const TenantConfig = z.strictObject({
  name: says(name(), "How jobs name the tenant.", "contoso-emea"),
  id: says(z.guid(), "Tenant (directory) id.", ID),
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
    z
      .string()
      .regex(/^extension_[0-9a-f]{32}_\w+$/, "use the full name: extension_{appId without hyphens}_{name}")
      .optional(),
    "The directory extension (String, User) on target users that names their source user. Default: `extension_{clientId without hyphens}_syncSource`.",
    "extension_7a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d_syncSource",
  ),
});
export type TenantConfig = z.infer<typeof TenantConfig>;

const target = () => z.string().regex(/^[A-Za-z][\w.]{0,199}$/, "use the name of a Graph property");
export const MappingConfig = z.union([
  z.strictObject({
    target: says(target(), "Property of the target user, as Graph names it.", "department"),
    source: says(target(), "Property of the source user. An empty value leaves the target as it is.", "department"),
  }),
  z.strictObject({
    target: says(target(), "Property of the target user, as Graph names it.", "companyName"),
    constant: says(z.union([z.string(), z.boolean()]), "The same value for everybody.", "Contoso EMEA"),
  }),
]);

export const JobConfig = z.strictObject({
  id: says(name(), "Names the job in logs.", "emea-to-hub"),
  source: says(name(), "The source tenant, by its name.", "contoso-emea"),
  target: says(name(), "The target tenant, by its name.", "contoso"),
  state: says(
    z.enum(["off", "observe", "on"]).default("off"),
    "`off`: the job does not exist. `observe`: it decides and logs, and writes nothing. `on`: it writes.",
    "observe",
  ),
  scope: says(
    z.strictObject({
      allUsers: says(z.boolean().default(false), "Every internal member of the source tenant.", false),
      groups: says(
        z
          .array(
            z.strictObject({
              id: says(z.guid(), "Object id of a group in the source tenant.", GROUP),
              transitive: says(z.boolean().default(false), "Members of groups within the group count too.", true),
            }),
          )
          .default([]),
        "Members of any of these groups.",
        [{ id: GROUP, transitive: true }],
      ),
    }),
    "Who exists in the target. Guests and external users of the source are left out whatever it says.",
    { groups: [{ id: GROUP, transitive: true }] },
  ),
  userType: says(
    z.enum(["guest", "member"]),
    "What people become in the target. No default: Teams across clouds wants `guest`, a multitenant organization wants `member`.",
    "guest",
  ),
  mappings: says(z.array(MappingConfig).min(1).optional(), "Replaces the default set (below) altogether.", [
    { target: "displayName", source: "displayName" },
    { target: "companyName", constant: "Contoso EMEA" },
  ]),
  manager: says(
    z.boolean().optional(),
    "Carry the manager. Default: where Microsoft's own synchronization does (within Commercial).",
    true,
  ),
  actions: says(
    z
      .strictObject({
        create: says(z.boolean().default(true), "Invite people who are not there.", true),
        update: says(
          z.boolean().default(true),
          "Write attributes of people who are. Sign-in follows the source either way.",
          true,
        ),
        delete: says(z.boolean().default(true), "Remove people who left.", true),
      })
      .prefault({}),
    "What may be done in the target.",
    { create: true, update: true, delete: false },
  ),
  onOutOfScope: says(
    z.enum(["softDelete", "disable", "keep"]).default("softDelete"),
    "What happens to people who leave the scope while their account goes on: to the recycle bin, sign-in blocked, or nothing.",
    "disable",
  ),
  adopt: says(
    z.enum(["none", "pending"]).optional(),
    "Guests that this app did not make: `pending` takes over un-redeemed ones of exactly the invited address. Default: `none` for US Government targets, otherwise `pending`.",
    "none",
  ),
  acceptUnlistedPair: says(
    z.boolean().default(false),
    "This pair of clouds is wanted although Microsoft does not list it (China → Commercial, within China).",
    false,
  ),
});
export type JobConfig = z.infer<typeof JobConfig>;

/** Everything an administrator decides; under version control; no secret in it. */
export const SyncConfig = z.strictObject({
  $schema: says(z.string().optional(), "For editors: where the JSON Schema is.", "./docs/sync.config.schema.json"),
  version: says(z.literal(1), "Of this format.", 1),
  deployment: says(
    name(),
    "Tells this deployment apart from others that write to the same target; part of every stamp. Never change it.",
    "contoso-prod",
  ),
  tenants: says(z.array(TenantConfig).min(1), "Every tenant that a job names.", []),
  jobs: says(
    z.array(JobConfig),
    "Ordered: of several jobs between the same two tenants the first whose scope holds owns the person.",
    [],
  ),
});
export type SyncConfig = z.infer<typeof SyncConfig>;
