import * as z from "zod";
import { GROUP, ID } from "./examples.ts";
import { EntraFilter, ReadableGroups } from "./filter-schema.ts";
import { MappingConfig } from "./mapping-schema.ts";
import { Boundary } from "./policy.ts";
import { name, says } from "./says.ts";
import { TenantConfig } from "./tenant-schema.ts";

/**
 * `sync.config.json`, as people write it. Every key says what it means and shows an example: `docs/configuration.md` and the
 * JSON Schema for editors are made from it.
 */

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

const AdminConfig = z.strictObject({
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
