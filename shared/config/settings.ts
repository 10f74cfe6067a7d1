import * as z from "zod";
import { CLOUDS, type Cloud } from "../domain/cloud.ts";
import { LEASE_MARGIN_MS, LEASE_MS } from "../domain/link.ts";
import { ConfigInvalid } from "./load.ts";

/** What the environment says: app settings in Azure, `local.settings.json` or the sandbox elsewhere. */
export interface EnvironmentSettings {
  configFile: string;
  tables: { connectionString: string } | { tableServiceUri: string; clientId?: string };
  serviceBus: { connectionString: string } | { fullyQualifiedNamespace: string; clientId?: string };
  publicUrl: string | undefined;
  /** Only in a sandbox: other roots than the clouds' own, by tenant id. Never from the configuration file. */
  sandboxEndpoints: Readonly<Record<string, { graph: string; login: string }>> | undefined;
  replicationAllowanceMs: number;
  indexAllowanceMs: number;
  secondReadingMs: number;
  sweepMs: number;
  fullPassMs: number;
  driftMs: number;
  censusMs: number;
  quota: { writes: number; perSeconds: number };
  /** Makes a configuration a new revision although its text was seen before. */
  revision: string;
  /** `{tenant}/{object id}` of who rolled the configuration out: that person's approval of it does not count. */
  author: string | undefined;
  /** Whose tokens the admin API takes; absent: it takes none. */
  admin: { tenantId: string; cloud: Cloud; audience: string } | undefined;
}

const seconds = (fallback: number) => z.coerce.number().min(0).max(86_400).default(fallback);
const url = z.url({ protocol: /^https$/ }).transform((text) => text.replace(/\/+$/, ""));
const Endpoints = z.record(z.guid(), z.strictObject({ graph: url, login: url }));

const Environment = z.object({
  SYNC_CONFIG: z.string().min(1).default("sync.config.json"),
  SYNC_CONFIG_REVISION: z.string().default(""),
  SYNC_CONFIG_AUTHOR: z
    .string()
    .regex(/^[0-9a-f-]{36}\/[0-9a-f-]{36}$/i, "tenant id/object id")
    .optional(),
  ADMIN_TENANT_ID: z.guid().optional(),
  ADMIN_AUDIENCE: z.string().min(1).max(300).optional(),
  ADMIN_CLOUD: z.enum(Object.keys(CLOUDS) as [Cloud, ...Cloud[]]).default("global"),
  TABLES: z.string().min(1).optional(),
  TABLES__tableServiceUri: url.optional(),
  TABLES__clientId: z.guid().optional(),
  SERVICE_BUS: z.string().min(1).optional(),
  SERVICE_BUS__fullyQualifiedNamespace: z.string().min(1).optional(),
  SERVICE_BUS__clientId: z.guid().optional(),
  PUBLIC_URL: url.optional(),
  SANDBOX_ENDPOINTS: z.string().optional(),
  REPLICATION_ALLOWANCE_SECONDS: seconds(90),
  INDEX_ALLOWANCE_SECONDS: seconds(300),
  SECOND_READING_SECONDS: seconds(2),
  SWEEP_SECONDS: seconds(300),
  FULL_PASS_SECONDS: seconds(86_400),
  DRIFT_SECONDS: seconds(300),
  CENSUS_SECONDS: seconds(86_400),
  /** A bucket of writes and the seconds in which it fills; as Graph documents for an app and a tenant. */
  WRITE_QUOTA: z
    .string()
    .regex(/^[1-9]\d*\/[1-9]\d*$/, "writes per seconds, as in 3000/150")
    .default("3000/150"),
});
type Environment = z.infer<typeof Environment>;

/** Throws `ConfigInvalid` with every setting that is missing or wrong. */
export function loadSettings(environment: Readonly<Record<string, string | undefined>>): EnvironmentSettings {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) throw invalid(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]));
  const env = parsed.data;
  const missing = [
    ...(env.TABLES || env.TABLES__tableServiceUri
      ? []
      : [["TABLES", "is missing: a connection string, or TABLES__tableServiceUri"] as const]),
    ...(env.SERVICE_BUS || env.SERVICE_BUS__fullyQualifiedNamespace
      ? []
      : [["SERVICE_BUS", "is missing: a connection string, or SERVICE_BUS__fullyQualifiedNamespace"] as const]),
  ];
  const problems = [...missing, ...tooShort(env)];
  if (problems.length > 0) throw invalid(problems);
  return settingsOf(env);
}

/**
 * An interrupted invitation is taken to have failed when the search index does not show it after the allowance. A worker
 * that stands still may send it until its lease ends, and the request may be under way for a while: with less than that a
 * late invitation would be a second user. A sandbox, where time runs faster, may choose.
 */
const INDEX_ALLOWANCE_SECONDS_MIN = (LEASE_MS + LEASE_MARGIN_MS) / 1000;

const tooShort = ({ INDEX_ALLOWANCE_SECONDS: seconds, SANDBOX_ENDPOINTS: sandbox }: Environment) =>
  sandbox === undefined && seconds < INDEX_ALLOWANCE_SECONDS_MIN
    ? [
        [
          "INDEX_ALLOWANCE_SECONDS",
          `is ${seconds}: a late invitation could make a second user; at least ${INDEX_ALLOWANCE_SECONDS_MIN}`,
        ] as const,
      ]
    : [];

function adminOf({ ADMIN_TENANT_ID: tenantId, ADMIN_AUDIENCE: audience, ADMIN_CLOUD: cloud }: Environment) {
  if (tenantId !== undefined && audience !== undefined) return { tenantId: tenantId.toLowerCase(), cloud, audience };
  if (tenantId === undefined && audience === undefined) return undefined;
  const missing = tenantId === undefined ? "ADMIN_TENANT_ID" : "ADMIN_AUDIENCE";
  throw invalid([[missing, "is missing: the admin API needs both ADMIN_TENANT_ID and ADMIN_AUDIENCE"]]);
}

function settingsOf(env: Environment): EnvironmentSettings {
  const [writes = 0, perSeconds = 1] = env.WRITE_QUOTA.split("/").map(Number);
  return {
    configFile: env.SYNC_CONFIG,
    revision: env.SYNC_CONFIG_REVISION,
    author: env.SYNC_CONFIG_AUTHOR?.toLowerCase(),
    admin: adminOf(env),
    tables: env.TABLES
      ? { connectionString: env.TABLES }
      : {
          tableServiceUri: env.TABLES__tableServiceUri ?? "",
          ...(env.TABLES__clientId ? { clientId: env.TABLES__clientId } : {}),
        },
    serviceBus: env.SERVICE_BUS
      ? { connectionString: env.SERVICE_BUS }
      : {
          fullyQualifiedNamespace: env.SERVICE_BUS__fullyQualifiedNamespace ?? "",
          ...(env.SERVICE_BUS__clientId ? { clientId: env.SERVICE_BUS__clientId } : {}),
        },
    publicUrl: env.PUBLIC_URL,
    sandboxEndpoints: env.SANDBOX_ENDPOINTS === undefined ? undefined : endpointsOf(env.SANDBOX_ENDPOINTS),
    replicationAllowanceMs: env.REPLICATION_ALLOWANCE_SECONDS * 1000,
    indexAllowanceMs: env.INDEX_ALLOWANCE_SECONDS * 1000,
    secondReadingMs: env.SECOND_READING_SECONDS * 1000,
    sweepMs: env.SWEEP_SECONDS * 1000,
    fullPassMs: env.FULL_PASS_SECONDS * 1000,
    driftMs: env.DRIFT_SECONDS * 1000,
    censusMs: env.CENSUS_SECONDS * 1000,
    quota: { writes, perSeconds },
  };
}

function endpointsOf(text: string): z.infer<typeof Endpoints> {
  try {
    return Endpoints.parse(JSON.parse(text));
  } catch {
    throw invalid([
      ["SANDBOX_ENDPOINTS", 'is not of the form { "<tenant id>": { "graph": "https://…", "login": "https://…" } }'],
    ]);
  }
}

const invalid = (problems: readonly (readonly [string, string])[]) =>
  new ConfigInvalid(
    "the environment",
    problems.map(([path, problem]) => ({ path, problem, remedy: "Correct the app setting." })),
  );
