import * as z from "zod";
import { CLOUDS, type Cloud } from "../domain/cloud.ts";
import { FLOW_TYPES } from "../domain/mapping/mapping.ts";
import { EXTENSION_TYPES } from "../domain/mapping/targets.ts";
import { Boundary, Inbound, Outbound } from "./policy.ts";
import { name, says } from "./says.ts";

/**
 * `sync.config.json`, as people write it. Every key says what it means and shows an example: `docs/configuration.md` and the
 * JSON Schema for editors are made from this file.
 */

const clouds = Object.keys(CLOUDS) as [Cloud, ...Cloud[]];
const ID = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";
const CLIENT = "7a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d";
const GROUP = "c0ffee00-1234-4abc-8def-0123456789ab";
const EXTENSION = "extension_7a1b2c3d4e5f4a6b8c7d9e0f1a2b3c4d_costCentre";

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
    z
      .string()
      .regex(/^extension_[0-9a-f]{32}_\w+$/, "use the full name: extension_{appId without hyphens}_{name}")
      .optional(),
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
          name: says(
            z
              .string()
              .regex(/^extension_[0-9a-f]{32}_\w+$/, "use the full name: extension_{appId without hyphens}_{name}"),
            "Full name of the directory extension; letter case counts.",
            EXTENSION,
          ),
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

const property = () => z.string().regex(/^[A-Za-z][\w.]{0,199}$/, "use the name of a Graph property");
export const MappingConfig = z
  .strictObject({
    target: says(property(), "Property of the target user, as Graph names it; nested ones with a dot.", "department"),
    source: says(
      property().optional(),
      "Direct mapping: a property of the source user. Set one of `source`, `constant` and `expression`; none of them, with a `defaultValue`, fills the target attribute where it is empty.",
      "department",
    ),
    constant: says(z.union([z.string(), z.boolean()]).optional(), "The same value for everybody.", "Contoso EMEA"),
    expression: says(
      z.string().min(1).max(10_000).optional(),
      "An expression of Entra's attribute mappings; see `expressions.md`.",
      'Join(" ", [givenName], [surname])',
    ),
    defaultValue: says(
      z.string().optional(),
      "Written when the target user is created and the source has nothing.",
      "unknown",
    ),
    flowType: says(
      z.enum(FLOW_TYPES).optional(),
      "`Always` (default), `ObjectAddOnly` (on creation only), `AttributeAddOnly` (where the target has no value), `ValueAddOnly` and `MultiValueAddOnly` (values are added and never taken away).",
      "ObjectAddOnly",
    ),
    flowBehavior: says(
      z.enum(["FlowWhenChanged", "FlowAlways"]).optional(),
      "`FlowWhenChanged` (default), or `FlowAlways`: compared with the target at every look.",
      "FlowWhenChanged",
    ),
    flowNullValues: says(
      z.boolean().optional(),
      "Empty at the source empties the target. Needs the job's `flowNullValues` too.",
      true,
    ),
    caseExact: says(
      z.boolean().optional(),
      "A change of letter case alone is written too. Default: as in Entra, it is not.",
      true,
    ),
    matchingPriority: says(
      z.number().int().min(0).max(100).optional(),
      "1 is asked first: a guest whose target attribute has the mapped value is a candidate for adoption.",
      1,
    ),
  })
  .meta({
    // For editors: what the loader says with a remedy.
    allOf: [
      ...[
        ["source", "constant"],
        ["source", "expression"],
        ["constant", "expression"],
      ].map((both) => ({ not: { required: both } })),
      { anyOf: ["source", "constant", "expression", "defaultValue"].map((one) => ({ required: [one] })) },
    ],
  });

const scalar = () => z.union([z.string(), z.number(), z.boolean()]);
const Clause = z.strictObject({
  attribute: says(z.string().min(1), "Attribute of the source user.", "department"),
  operator: says(z.string().min(1), "In the documented spelling, such as `EQUALS` or `REGEX MATCH`.", "EQUALS"),
  value: says(
    scalar().optional(),
    "What is compared with; `IS NULL`, `IS NOT NULL`, `IS TRUE` and `IS FALSE` take none.",
    "Sales",
  ),
});
const ReadableGroups = z.array(
  z.strictObject({
    name: says(z.string().optional(), "Shown in the log.", "Sales in Norway"),
    clauses: says(z.array(Clause).min(1), "All of them have to hold.", [
      { attribute: "department", operator: "EQUALS", value: "Sales" },
    ]),
  }),
);
const CLAUSES = [{ sourceOperandName: "department", operatorName: "EQUALS", targetOperand: { values: ["Sales"] } }];
const EntraClause = z.looseObject({
  sourceOperandName: says(z.string(), "Attribute of the source user.", "department"),
  operatorName: says(z.string(), "In the documented spelling.", "EQUALS"),
  targetOperand: says(
    z
      .looseObject({ values: says(z.array(scalar()).nullish(), "What is compared with: one value.", ["Sales"]) })
      .nullish(),
    "What is compared with.",
    { values: ["Sales"] },
  ),
});
const entraGroups = (description: string) =>
  says(
    z
      .array(
        z.looseObject({
          name: says(z.string().nullish(), "Shown in the log.", "Sales in Norway"),
          clauses: says(z.array(EntraClause), "All of them have to hold.", CLAUSES),
        }),
      )
      .nullish(),
    description,
    [{ name: "Sales", clauses: CLAUSES }],
  );
const EntraFilter = z.looseObject({
  groups: entraGroups("One of them has to hold as a whole."),
  inputFilterGroups: entraGroups("Whoever leaves them is left alone and not deprovisioned."),
  categoryFilterGroups: entraGroups("Not supported: has to be empty."),
});

const count = () => z.int().min(0).max(1_000_000);
export const LimitsConfig = z.strictObject({
  removals: says(
    z
      .strictObject({
        immediatePerHour: says(
          count().default(5),
          "Removals within an hour that go at once, of people whose own doing it was: account deleted, left the group.",
          5,
        ),
        perHour: says(count().default(20), "Removals within an hour.", 50),
        perDay: says(count().default(100), "Removals within 24 hours.", 500),
        percent: says(
          z.number().min(0).max(100).default(10),
          "Of the job's people within 24 hours; asked from 50 people on.",
          5,
        ),
        minimumSource: says(
          count().default(1),
          "People of the job who have to remain, whatever a staged set would remove.",
          1,
        ),
      })
      .prefault({}),
    "Removals: deletions, and blocks of people who left the scope. Blocking a disabled account is never counted.",
    { perHour: 50, perDay: 200 },
  ),
  creations: says(
    z
      .strictObject({
        perHour: says(count().default(500), "Within an hour.", 100),
        perDay: says(count().default(2_000), "Within 24 hours.", 500),
      })
      .prefault({}),
    "People who are invited.",
    { perHour: 100, perDay: 500 },
  ),
  settlingMinutes: says(
    z.number().min(0).max(1_440).default(5),
    "Removals that are not immediate are counted when nobody has joined them for so long.",
    10,
  ),
  approvalHours: says(z.number().min(0.1).max(168).default(24), "An approval expires after so long.", 8),
});

export const JobConfig = z.strictObject({
  id: says(name(), "Names the job in logs.", "emea-to-hub"),
  source: says(name(), "The source tenant, by its name.", "contoso-emea"),
  target: says(name(), "The target tenant, by its name.", "contoso"),
  state: says(
    z.enum(["off", "observe", "on", "retire"]).default("off"),
    "`off`: the job does not exist. `observe`: it decides and logs, and writes nothing. `on`: it writes. `retire`: nobody is in its scope any more, and its people are removed within the limits.",
    "observe",
  ),
  scope: says(
    z.strictObject({
      allUsers: says(z.boolean().default(false), "Every internal member of the source tenant.", false),
      groups: says(
        z
          .array(
            z.strictObject({
              id: says(z.guid().toLowerCase(), "Object id of a group in the source tenant.", GROUP),
              transitive: says(z.boolean().default(false), "Members of groups within the group count too.", true),
            }),
          )
          .default([]),
        "Members of any of these groups.",
        [{ id: GROUP, transitive: true }],
      ),
      users: says(z.array(z.guid().toLowerCase()).default([]), "Object ids of users who are assigned by themselves.", [
        ID,
      ]),
      filter: says(
        z.union([ReadableGroups, EntraFilter]).optional(),
        "Narrows all of the above: one group of clauses has to hold as a whole. Also takes `scope` of a synchronization schema as it is.",
        [{ name: "Sales", clauses: [{ attribute: "department", operator: "EQUALS", value: "Sales" }] }],
      ),
      inputFilter: says(
        ReadableGroups.optional(),
        "As `filter`, but whoever leaves it is left alone and not deprovisioned.",
        [{ name: "Staff", clauses: [{ attribute: "employeeType", operator: "IS NOT NULL" }] }],
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
  changeUserType: says(
    z.boolean().default(false),
    "People who are there already get the `userType` too. Default: as in Entra, it is set on creation only.",
    true,
  ),
  flowNullValues: says(
    z.boolean().default(false),
    "Allows mappings with `flowNullValues` to empty attributes of the target.",
    true,
  ),
  mappings: says(z.array(MappingConfig).min(1).optional(), "Replaces the default set altogether; see `mappings.md`.", [
    { target: "displayName", source: "displayName" },
    { target: "companyName", constant: "Contoso EMEA" },
  ]),
  boundary: says(
    Boundary.optional(),
    "What may leave the source tenant through this job. Default: what the mappings name, within `outbound` of the source.",
    { attributes: ["displayName", "department"] },
  ),
  manager: says(
    z.boolean().optional(),
    "Carry the manager, also its removal. Default: where Microsoft's own synchronization does (within Commercial). Across clouds it is an addition of ours.",
    true,
  ),
  sponsors: says(
    z.array(z.guid()).max(5).default([]),
    "Object ids of users or groups of the target who become sponsors of whom the job creates. Default: none beside the app.",
    [ID],
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
  onDisabledThenUnassigned: says(
    z.enum(["keep", "asOutOfScope"]).default("keep"),
    "People whose account was disabled first and who left the scope then: they stay, disabled, as in Entra (`keep`), or are treated as anybody who leaves.",
    "asOutOfScope",
  ),
  adopt: says(
    z.enum(["none", "pending", "redeemed"]).optional(),
    "Guests that this app did not make: `pending` takes over un-redeemed ones of exactly the invited address, `redeemed` in addition those whose home is proved to be the source tenant. Default: `none` for US Government targets, otherwise `pending`.",
    "none",
  ),
  adoptBy: says(
    z.enum(["signIn", "resetRedemption"]).default("signIn"),
    "With `redeemed`: what proves the home of a guest. `signIn`: a sign-in from the source tenant was seen (AuditLog.Read.All and Entra ID P1 in the target). `resetRedemption`: the guest is bound anew and keeps what it has; the person accepts once more.",
    "signIn",
  ),
  limits: says(
    LimitsConfig.prefault({}),
    "How many people the job may remove and create before somebody has to agree. See `limits.md`.",
    { removals: { perHour: 50, perDay: 200 }, creations: { perHour: 100, perDay: 500 } },
  ),
  whileHeld: says(
    z.enum(["nothing", "block"]).default("nothing"),
    "What happens to people whose removal waits: nothing, or sign-in is blocked meanwhile.",
    "block",
  ),
  firstCycle: says(
    z
      .strictObject({ expected: says(count(), "So many creations of the first week are not counted.", 12_000) })
      .optional(),
    "What the first cycle is expected to create. Without it the limits on creations hold from the first minute.",
    { expected: 12_000 },
  ),
  acceptUnlistedPair: says(
    z.boolean().default(false),
    "This pair of clouds is wanted although Microsoft does not list it (China → Commercial, within China).",
    false,
  ),
});
export type JobConfig = z.infer<typeof JobConfig>;

export const AdminConfig = z.strictObject({
  scopes: says(
    z
      .array(
        z.strictObject({
          principal: says(
            z.guid(),
            "Object id of a person or service principal of the tenant that signs in to the admin API.",
            ID,
          ),
          targets: says(z.array(name()).min(1).optional(), "Only these target tenants, by name. Absent: all.", [
            "contoso-gov",
          ]),
          jobs: says(z.array(name()).min(1).optional(), "Only these jobs. Absent: all.", ["contoso-to-gov"]),
        }),
      )
      .default([]),
    "Narrows principals to targets and jobs; whoever is not named here is narrowed by nothing but the app role. Several entries for one principal add up.",
    [{ principal: ID, targets: ["contoso-gov"] }],
  ),
});

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
  admin: says(AdminConfig.optional(), "Who may do what over the admin API, beside their app roles.", {
    scopes: [{ principal: ID, targets: ["contoso-gov"] }],
  }),
});
export type SyncConfig = z.infer<typeof SyncConfig>;
