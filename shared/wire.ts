import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { ManagedIdentityCredential } from "@azure/identity";
import { accessTokens } from "./adapters/entra/access-tokens.ts";
import { type CredentialSettings, tokenProbe, tokenSource } from "./adapters/graph/credentials.ts";
import { graphTenant } from "./adapters/graph/tenant.ts";
import { serviceBus } from "./adapters/servicebus/bus.ts";
import { sha256, systemChance, systemClock } from "./adapters/system/clock.ts";
import { appendOnly, openTables, type Tables } from "./adapters/tables/index.ts";
import { decisionLog, type Sink } from "./adapters/telemetry/decision-log.ts";
import { Admin } from "./admin/router.ts";
import { registrationOf, stampAttributeOf } from "./config/extensions.ts";
import { ConfigInvalid, type LoadedConfig, loadConfig } from "./config/load.ts";
import { type EnvironmentSettings, loadSettings } from "./config/settings.ts";
import type { TenantConfig } from "./config/tenant-schema.ts";
import { weakeningsSince } from "./config/weakenings.ts";
import { CLOUDS } from "./domain/cloud.ts";
import { NotificationDesk } from "./pipeline/accept-notification.ts";
import { Deployment, madeOnce } from "./pipeline/deployment.ts";
import type { Receiver } from "./pipeline/receive.ts";
import { Reconciler } from "./pipeline/reconcile-users.ts";
import type { World } from "./pipeline/world.ts";
import type { AccessTokens } from "./ports/access-tokens.ts";
import type { Bus } from "./ports/bus.ts";
import type { DecisionLog } from "./ports/decision-log.ts";

/** The app of this process: what the triggers call. */
export interface App extends Receiver {
  admin: Admin;
  notifications: NotificationDesk;
  log(sink: Sink): DecisionLog;
}

let current: App | undefined;

/** Builds the real world once a process, without any network call. Throws `ConfigInvalid` with every mistake: nothing starts then. */
export function app(): App {
  current ??= build(process.env);
  return current;
}

function build(environment: Readonly<Record<string, string | undefined>>): App {
  const settings = loadSettings(environment);
  const loaded = loadConfig(readConfig(settings.configFile), settings.configFile);
  const tables = openTables(settings.tables);
  const shared = { settings, tables, bus: serviceBus(settings.serviceBus), ready: once(() => tables.ensureTables()) };
  const revision = sha256(`${loaded.hash}/${settings.revision}`).slice(0, 22);
  const running = receiverOf(shared, loaded, revision);
  return {
    ...running,
    admin: new Admin(running, adminTokens(settings)),
    notifications: new NotificationDesk(running.world),
    log: decisionLog,
  };
}

/** What every configuration of this process shares. */
interface Shared {
  settings: EnvironmentSettings;
  tables: Tables;
  bus: Bus;
  ready: () => Promise<void>;
}

/** What runs one configuration. */
function receiverOf(shared: Shared, loaded: LoadedConfig, revision: string): Receiver {
  const world = worldOf(shared, loaded, revision);
  return {
    world,
    reconciler: new Reconciler(world),
    deployment: new Deployment(world),
    inPlace: madeOnce((previous) => receiverOf(shared, loadConfig(previous.text), previous.revision)),
  };
}

/** The verifier of the admin API's tokens, if the settings name a tenant. */
function adminTokens({ admin, sandboxEndpoints }: EnvironmentSettings): AccessTokens | undefined {
  if (!admin) return undefined;
  const { issuers, login } = CLOUDS[admin.cloud];
  return accessTokens({
    ...admin,
    issuers,
    login: sandboxEndpoints?.[admin.tenantId]?.login ?? login,
    transport: fetch,
    clock: systemClock,
  });
}

function worldOf({ settings, tables, bus, ready }: Shared, loaded: LoadedConfig, revision: string): World {
  const tenants = new Map(loaded.config.tenants.map((tenant) => [tenant.id, connect(tenant, settings)]));
  const tenant = (id: string) => {
    const found = tenants.get(id);
    if (!found) throw new Error(`tenant ${id} is not in the configuration`);
    return found;
  };
  return {
    clock: systemClock,
    chance: systemChance,
    hash: sha256,
    rules: {
      deployment: loaded.deployment,
      revision,
      tenants: loaded.tenants,
      pairs: loaded.pairs,
      warnings: loaded.warnings,
      configuration: {
        text: loaded.text,
        author: settings.author,
        weakeningsSince: (previous) => weakeningsSince(previous, loaded.config),
      },
      adminScopes: loaded.adminScopes,
    },
    settings,
    tables: rowsOf(tables),
    bus,
    ready,
    source: (id) => tenant(id).source,
    target: (id) => tenant(id).target,
    changes: (id) => tenant(id).changes,
    subscriptions: (id) => tenant(id).subscriptions,
    extensions: (id) => tenant(id).extensions,
    sourceListing: (id) => tenant(id).sourceListing,
    targetListing: (id) => tenant(id).targetListing,
    inbound: (id) => tenant(id).inbound,
  };
}

function rowsOf(tables: Tables): World["tables"] {
  return {
    links: tables.rows("links"),
    targets: tables.rows("targets"),
    checkpoints: tables.rows("checkpoints"),
    subscriptions: tables.rows("subscriptions"),
    provisioninglog: tables.rows("provisioninglog"),
    pace: tables.rows("pace"),
    limits: tables.rows("limits"),
    limitparts: tables.rows("limitparts"),
    jobs: tables.rows("jobs"),
    deployment: tables.rows("deployment"),
    configurations: tables.rows("configurations"),
    requests: tables.rows("requests"),
    switches: tables.rows("switches"),
    audit: appendOnly(tables.rows("audit")),
    audithead: tables.rows("audithead"),
    passes: tables.rows("passes"),
    passpages: tables.rows("passpages"),
    orphans: tables.rows("orphans"),
    seats: tables.rows("limits"),
    linkMark: tables.rows("links"),
    targetMark: tables.rows("targets"),
    recovery: tables.rows("deployment"),
  };
}

function connect(tenant: TenantConfig, settings: EnvironmentSettings) {
  const own = settings.sandboxEndpoints?.[tenant.id];
  const root = own?.graph ?? CLOUDS[tenant.cloud].graph;
  const login = {
    tenantId: tenant.id,
    login: own?.login ?? CLOUDS[tenant.cloud].login,
    ownAuthority: own !== undefined,
    scope: `${root}/.default`,
    credential: credentialOf(tenant),
    clock: systemClock,
  };
  return graphTenant({
    tenantId: tenant.id,
    root,
    token: tokenSource(login),
    clock: systemClock,
    chance: systemChance,
    transport: fetch,
    stampAttribute: stampAttributeOf(tenant),
    registration: registrationOf(tenant),
    probe: tokenProbe(login),
  });
}

function credentialOf({ credential, cloud }: TenantConfig): CredentialSettings {
  switch (credential.kind) {
    case "certificate":
      return { kind: "certificate", clientId: credential.clientId, pem: () => pemOf(credential) };
    case "managedIdentity":
      return { kind: "managedIdentity", clientId: credential.clientId };
    case "federated":
      return { ...credential, audience: CLOUDS[cloud].federationAudience };
  }
}

/** Whoever needed it comes again. */
const ONCE = { retryOptions: { maxRetries: 0 } };

async function pemOf({
  path,
  keyVault,
}: {
  path?: string | undefined;
  keyVault?: { url: string; name: string } | undefined;
}): Promise<string> {
  if (path !== undefined) return readFile(path, "utf8");
  if (!keyVault) throw new Error("a certificate without a place");
  const { SecretClient } = await import("@azure/keyvault-secrets");
  const secret = await new SecretClient(keyVault.url, new ManagedIdentityCredential(), ONCE).getSecret(keyVault.name);
  if (!secret.value) throw new Error("the certificate in Key Vault is empty");
  return secret.value;
}

function readConfig(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const problem = `cannot be read (${error instanceof Error ? error.message : error})`;
    throw new ConfigInvalid(file, [
      { path: file, problem, remedy: "Set SYNC_CONFIG to the path of the configuration." },
    ]);
  }
}

/** Runs once; after a failure the next caller tries again. */
function once(action: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= action().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}
