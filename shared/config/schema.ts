import * as z from "zod";
import { CLOUDS, type Cloud } from "../domain/cloud.ts";

const clouds = Object.keys(CLOUDS) as [Cloud, ...Cloud[]];
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use 1 to 63 lower-case letters, digits and hyphens");

export const Credential = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("certificate"),
    clientId: z.guid(),
    /** A PEM file with certificate and private key. */
    path: z.string().min(1).optional(),
    /** Instead of `path`: a certificate in Key Vault. */
    keyVault: z.strictObject({ url: z.url({ protocol: /^https$/ }), name: z.string().min(1) }).optional(),
  }),
  /** The app's own managed identity; only in the tenant that the app lives in. */
  z.strictObject({ kind: z.literal("managedIdentity"), clientId: z.guid().optional() }),
  /** A managed identity as federated credential of an app registration; any tenant of the same cloud. */
  z.strictObject({ kind: z.literal("federated"), clientId: z.guid(), managedIdentityClientId: z.guid() }),
]);
export type Credential = z.infer<typeof Credential>;

export const TenantConfig = z.strictObject({
  name,
  id: z.guid(),
  cloud: z.enum(clouds),
  credential: Credential,
  /** Where people who are invited into this tenant land; default: My Apps of the tenant's cloud. */
  redirectUrl: z.url({ protocol: /^https$/ }).optional(),
  /** The directory extension that holds the stamp; default: made from the credential's clientId. */
  stampAttribute: z
    .string()
    .regex(/^extension_[0-9a-f]{32}_\w+$/)
    .optional(),
});
export type TenantConfig = z.infer<typeof TenantConfig>;

const target = z.string().regex(/^[A-Za-z][\w.]{0,199}$/, "use the name of a Graph property");
export const MappingConfig = z.union([
  z.strictObject({ target, source: z.string().min(1) }),
  z.strictObject({ target, constant: z.union([z.string(), z.boolean()]) }),
]);

export const JobConfig = z.strictObject({
  id: name,
  source: name,
  target: name,
  state: z.enum(["off", "observe", "on"]).default("off"),
  scope: z.strictObject({
    /** Every internal member of the source tenant. */
    allUsers: z.boolean().default(false),
    groups: z.array(z.strictObject({ id: z.guid(), transitive: z.boolean().default(false) })).default([]),
  }),
  /** No default: Teams across clouds wants guest, a multitenant organization wants member. */
  userType: z.enum(["guest", "member"]),
  /** Absent: the documented default set. */
  mappings: z.array(MappingConfig).min(1).optional(),
  /** Default: where Microsoft's own synchronization carries it. */
  manager: z.boolean().optional(),
  actions: z
    .strictObject({
      create: z.boolean().default(true),
      update: z.boolean().default(true),
      delete: z.boolean().default(true),
    })
    .prefault({}),
  onOutOfScope: z.enum(["softDelete", "disable", "keep"]).default("softDelete"),
  /** Default: `none` for US Government targets, otherwise `pending`. */
  adopt: z.enum(["none", "pending"]).optional(),
  /** Says that this pair of clouds is wanted although Microsoft does not list it (China → Commercial, within China). */
  acceptUnlistedPair: z.boolean().default(false),
});
export type JobConfig = z.infer<typeof JobConfig>;

/** `sync.config.json`. Everything an administrator decides; under version control; no secret in it. */
export const SyncConfig = z.strictObject({
  $schema: z.string().optional(),
  version: z.literal(1),
  /** Told apart from other deployments that write to the same target; part of the stamp. */
  deployment: name,
  tenants: z.array(TenantConfig).min(1),
  /** Ordered: of two jobs of one pair the first whose scope holds owns the person. */
  jobs: z.array(JobConfig),
});
export type SyncConfig = z.infer<typeof SyncConfig>;
