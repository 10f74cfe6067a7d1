import { existsSync, readFileSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SyncConfig } from "../../shared/config/schema.ts";
import type { Knobs } from "../graph/api.ts";
import { type ImportedUsers, readExport } from "../organization/exports.ts";
import { HUB, type Organization, organization } from "../organization/topology.ts";
import { azuriteConnectionString } from "../storage/azurite-process.ts";
import { type Certificates, makeCertificates } from "./certificates.ts";
import { type Endpoints, shownPath, writeEndpoints } from "./endpoints.ts";
import { type Front, startFront } from "./front.ts";
import type { GraphProcessOptions, GraphReport } from "./graph-report.ts";
import { lockFolder } from "./lock.ts";
import { type Pace, paceOf } from "./pace.ts";
import { type Proxy as TcpProxy, tcpProxy } from "./proxy.ts";
import { type Supervised, type Supervisor, supervisor } from "./supervisor.ts";

/** The whole product on one machine: real processes, real wires, nothing outside 127.0.0.1. */
export interface CloudOptions {
  /** State, certificates, logs, `endpoints.json`; `.sandbox` of the checkout unless said. One run a folder. */
  folder?: string;
  /** The built app; `dist` of the checkout unless said. */
  appFolder?: string;
  seed?: number;
  people?: number;
  speed?: number;
  realistic?: boolean;
  /** Instances of the app behind one address; timers run on the first. */
  instances?: number;
  usersFile?: string;
  recordFile?: string;
  /** More app settings. */
  settings?: Readonly<Record<string, string>>;
  /** Another process in place of the Graph tenants, with the same report. */
  graphFile?: string;
  /** Changes the jobs before anything starts. */
  jobs?: (config: SyncConfig) => SyncConfig;
  /** Instead of what follows from `speed` and `realistic`. */
  knobs?: Partial<Knobs>;
  /** More people, computed, by tenant name. */
  computedUsers?: Readonly<Record<string, number>>;
  /** Tables in memory: for measurements, in which writing the whole database to disk would be in the way. */
  inMemory?: boolean;
  /** The app reaches the bus and the storage through addresses that can be cut off. */
  proxied?: boolean;
}

export interface LocalCloud {
  readonly folder: string;
  readonly endpoints: Endpoints;
  readonly organization: Organization;
  /** What came of the users file. */
  readonly imported: ImportedUsers | undefined;
  readonly config: SyncConfig;
  /** What follows from the tenants' lags and quotas, for people to read. */
  readonly pace: Pace;
  readonly graph: GraphReport;
  /** `control`: statistics, peek and purge of the queues. */
  readonly bus: BusReport;
  readonly supervisor: Supervisor;
  /** With `proxied`: between the app and the services. */
  readonly proxies: readonly NamedProxy[];
  /** Everything is gone within five seconds. */
  stop(): Promise<void>;
}

export interface NamedProxy {
  name: "bus" | "storage";
  proxy: TcpProxy;
}

interface BusReport {
  connectionString: string;
  control: string;
}

const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const file = (relative: string) => join(CHECKOUT, "sandbox", relative);

/** Starts everything; throws, with nothing left behind, when something does not start. */
export async function startCloud(options: CloudOptions = {}): Promise<LocalCloud> {
  const folder = resolve(options.folder ?? join(CHECKOUT, ".sandbox"));
  const appFolder = resolve(options.appFolder ?? join(CHECKOUT, "dist"));
  if (!existsSync(join(appFolder, "host.json"))) {
    throw new Error(`There is no built app in ${appFolder}. Run: npm run build`);
  }
  const users = options.usersFile === undefined ? undefined : importUsers(options.usersFile);
  const unlock = lockFolder(folder);
  await rm(join(folder, "logs"), { recursive: true, force: true });
  const processes = supervisor({ logFolder: join(folder, "logs") });
  let front: Front | undefined;
  const proxies: NamedProxy[] = [];
  const stop = async () => {
    await Promise.all([processes.stop(), front?.close()]);
    await Promise.all(proxies.map(({ proxy }) => proxy.close()));
    await rm(join(folder, "endpoints.json"), { force: true }); // nothing answers there any more
    unlock();
  };
  try {
    const pace = paceOf({ realistic: options.realistic ?? false, speed: options.speed ?? 1 });
    const made = { seed: options.seed ?? 1, people: options.people ?? 300 };
    const names = organization({ ...made, ...(users && { users }) }).tenants.map(({ name }) => name);
    const { certificates, tablesFolder } = await freshFolder(folder, names);
    const appCertificates = Object.fromEntries(names.map((name) => [name, certificates.apps[name]?.certificate ?? ""]));
    const contoso = organization({ ...made, certificates: appCertificates, ...(users && { users }) });
    const usual = contoso.config((tenant) => certificates.apps[tenant]?.file ?? "");
    const config = options.jobs ? options.jobs(usual) : usual;
    const configFile = join(folder, "sync.config.json");
    await writeFile(configFile, `${JSON.stringify(config, null, 2)}\n`);

    const { usersFile, recordFile } = options;
    const graphOptions: GraphProcessOptions = {
      ...made,
      configFile,
      serverCert: certificates.server.cert,
      serverKey: certificates.server.key,
      appCertificates,
      knobs: { ...pace.knobs, ...options.knobs },
      ...(options.computedUsers && { computedUsers: options.computedUsers }),
      ...(usersFile !== undefined && { usersFile: resolve(usersFile) }),
      ...(recordFile !== undefined && { recordFile: resolve(recordFile) }),
    };
    const trust = { NODE_EXTRA_CA_CERTS: certificates.caFile };
    const [graph, bus, storage] = await Promise.all([
      processes.start<GraphReport>({
        name: "graph",
        file: options.graphFile ?? file("local/graph-process.ts"),
        args: [JSON.stringify(graphOptions)],
        env: trust,
      }),
      processes.start<BusReport>({ name: "bus", file: file("bus/process.ts") }),
      processes.start<string>({
        name: "storage",
        file: file("storage/azurite-server.ts"),
        args: options.inMemory ? [] : [tablesFolder],
      }),
    ]);

    const reached = async (name: NamedProxy["name"], address: string) => {
      if (!options.proxied) return address;
      const through = await tcpProxy({ host: "127.0.0.1", port: Number(/127\.0\.0\.1:(\d+)/.exec(address)?.[1]) });
      proxies.push({ name, proxy: through });
      return address.replace(/127\.0\.0\.1:\d+/, through.address);
    };
    const tables = azuriteConnectionString(await reached("storage", storage.report));
    const serviceBus = await reached("bus", bus.report.connectionString);

    const instances: Supervised<{ url: string }>[] = [];
    front = await startFront({
      instances: () => instances.filter(({ ready }) => ready).map(({ report }) => report.url),
      tls: certificates.server,
    });
    const env = {
      ...trust,
      ...pace.settings,
      SYNC_CONFIG: configFile,
      AzureWebJobsStorage: tables,
      TABLES: tables,
      SERVICE_BUS: serviceBus,
      PUBLIC_URL: front.publicUrl,
      ADMIN_TENANT_ID: contoso.tenants.find(({ name }) => name === HUB)?.id ?? "",
      ADMIN_AUDIENCE: contoso.clients[HUB]?.app ?? "",
      SANDBOX_ENDPOINTS: JSON.stringify(
        Object.fromEntries(graph.report.tenants.map(({ id, graph, login }) => [id, { graph, login }])),
      ),
      ...options.settings,
    };
    const count = options.instances ?? 1;
    const started = Array.from({ length: count }, (_, index) =>
      processes.start<{ url: string }>({
        name: `app-${index + 1}`,
        file: file("local/host/process.ts"),
        args: [JSON.stringify({ folder: appFolder, timers: index === 0, stateFolder: join(folder, "timers") })],
        env,
        restart: true,
      }),
    );
    instances.push(...(await Promise.all(started)));

    const addresses = { front, bus: bus.report, storage: azuriteConnectionString(storage.report), graph: graph.report };
    const current = () => endpointsOf({ folder, configFile, contoso, certificates, processes, ...addresses });
    const write = () => writeEndpoints(join(folder, "endpoints.json"), current());
    write();
    processes.onChange(write);
    return {
      folder,
      get endpoints() {
        return current();
      },
      organization: contoso,
      imported: users,
      config,
      pace,
      graph: graph.report,
      bus: bus.report,
      supervisor: processes,
      proxies,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function importUsers(usersFile: string): ImportedUsers {
  try {
    return readExport(readFileSync(usersFile));
  } catch (error) {
    throw new Error(`${usersFile}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/**
 * The tenants of a run are made anew from the seed, so rows about those of an earlier run would be wrong: tables and
 * timers start empty.
 */
async function freshFolder(folder: string, tenants: readonly string[]) {
  const tablesFolder = join(folder, "tables");
  for (const old of ["tables", "timers", "certificates", "endpoints.json"]) {
    await rm(join(folder, old), { recursive: true, force: true });
  }
  await mkdir(tablesFolder, { recursive: true });
  return { tablesFolder, certificates: await makeCertificates(folder, tenants) };
}

interface Parts {
  folder: string;
  configFile: string;
  contoso: Organization;
  certificates: Certificates;
  processes: Supervisor;
  front: Front;
  bus: BusReport;
  storage: string;
  graph: GraphReport;
}

function endpointsOf(parts: Parts): Endpoints {
  const { contoso, front, graph } = parts;
  const tenants = contoso.tenants.map(({ name, id, cloud, domain }) => {
    const address = graph.tenants.find((tenant) => tenant.name === name);
    const client = contoso.clients[name]?.people;
    if (!address || !client) throw new Error(`The Graph process has no tenant ${name}.`);
    return { name, id, cloud, domain, graph: address.graph, login: address.login, client };
  });
  const hub = tenants.find(({ name }) => name === HUB);
  if (!hub) throw new Error(`The organization has no tenant ${HUB}.`);
  return {
    version: 1,
    caFile: shownPath(CHECKOUT, parts.certificates.caFile),
    configFile: shownPath(CHECKOUT, parts.configFile),
    tenants,
    app: {
      url: front.url,
      publicUrl: front.publicUrl,
      admin: `${front.url}/api/manage`,
      token: {
        url: `${hub.login}/${hub.id}/oauth2/v2.0/token`,
        clientId: hub.client.id,
        clientSecret: hub.client.secret,
        scope: `api://${contoso.clients[HUB]?.app}/.default`,
      },
      people: contoso.administrators,
    },
    storage: parts.storage,
    serviceBus: parts.bus.connectionString,
    control: graph.control,
    processes: parts.processes.processes(),
  };
}
