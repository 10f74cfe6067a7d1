import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Knobs, TenantStatistics } from "../sandbox/graph/api.ts";
import { type CloudOptions, type LocalCloud, startCloud } from "../sandbox/local/cloud.ts";
import { CommitFeed, type DayCloud, openDayCloud } from "../sandbox/organization/day-cloud.ts";
import type { SyncConfig } from "../shared/config/schema.ts";
import { buildApp } from "../tools/build.ts";
import { PLAIN_KNOBS, UNLIMITED } from "./small-world.ts";

/** The local cloud as a bench needs it: tables in memory, the app's documented settings, everything watched. */
export interface BenchCloud {
  cloud: LocalCloud;
  /** For calls to the tenants as people make them. */
  day: DayCloud;
  /** Everything that happens in the tenants after the start. */
  feed: CommitFeed;
  setKnobs(knobs: Partial<Knobs>): Promise<void>;
  populate(population: object): Promise<{ created: { users: string[] } }>;
  statistics(): Promise<Record<string, TenantStatistics>>;
  /** One sentence for each person who is not as the jobs say. */
  differences(): Promise<readonly string[]>;
  queues(): Promise<Record<string, { active: number; scheduled: number; locked: number }>>;
  stop(): Promise<void>;
}

const CHECKOUT = fileURLToPath(new URL("..", import.meta.url));

/** Builds the app anew and starts it; with a `profile` the app writes one when it ends. */
export async function benchCloud(options: CloudOptions & { profile?: string | undefined }): Promise<BenchCloud> {
  const folder = await mkdtemp(join(tmpdir(), "bench-"));
  let cloud: LocalCloud | undefined;
  try {
    await buildApp(join(CHECKOUT, "functions"), join(folder, "dist"));
    const { profile, jobs = (config: SyncConfig) => config, ...others } = options;
    const place = (file: string) => `--cpu-prof --cpu-prof-dir=${dirname(file)} --cpu-prof-name=${basename(file)}`;
    const node = profile === undefined ? {} : { NODE_OPTIONS: place(profile) };
    cloud = await startCloud({
      folder: join(folder, "sandbox"),
      appFolder: join(folder, "dist"),
      realistic: true,
      inMemory: true,
      ...others,
      jobs: (config) => jobs({ ...config, jobs: config.jobs.map((job) => ({ ...job, ...UNLIMITED })) }),
      knobs: { ...PLAIN_KNOBS, ...others.knobs },
      settings: { ...node, ...others.settings },
    });
    return await watched(cloud, folder);
  } catch (error) {
    await cloud?.stop();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function watched(cloud: LocalCloud, folder: string): Promise<BenchCloud> {
  const call = caller(cloud.graph.control);
  const day = await openDayCloud({ ...cloud.endpoints, caFile: join(cloud.folder, "ca.pem") });
  const feed = new CommitFeed(day);
  await feed.start();
  return {
    cloud,
    day,
    feed,
    setKnobs: async (knobs) => void (await call("POST", "/knobs", knobs)),
    populate: (population) => call("POST", "/population", population),
    statistics: () => call("GET", "/statistics"),
    differences: async () => (await call<{ differences: string[] }>("GET", "/differences")).differences,
    queues: () => caller(cloud.bus.control)("GET", "/statistics"),
    async stop() {
      await feed.stop();
      await cloud.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Another configuration is rolled out: the app ends without a word and starts with it. */
export async function restartApp({ cloud }: BenchCloud, config: SyncConfig): Promise<void> {
  const appPid = () => cloud.supervisor.processes().find(({ name }) => name === "app-1")?.pid;
  const before = appPid();
  if (before === undefined) throw new Error("the app does not run");
  await writeFile(cloud.endpoints.configFile, JSON.stringify(config));
  process.kill(before, "SIGKILL");
  await until("the app is back", RESTART_MS, () => appPid() !== undefined && appPid() !== before);
}
const RESTART_MS = 60_000;

function caller(root: string) {
  return async <T>(method: "GET" | "POST", path: string, body?: object): Promise<T> => {
    const response = await fetch(`${root}${path}`, {
      method,
      ...(body ? { headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text.slice(0, 300)}`);
    return JSON.parse(text) as T;
  };
}

/** Asks again until it is true; throws with `what` when the time is over. */
export async function until(what: string, limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<void> {
  if (!(await within(limitMs, isSo))) throw new Error(`not within ${limitMs / 1000} s: ${what}`);
}

/** Asks again until it is true; false when the time is over. */
export async function within(limitMs: number, isSo: () => boolean | Promise<boolean>): Promise<boolean> {
  const giveUpAt = Date.now() + limitMs;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) return false;
    await sleep(200);
  }
  return true;
}
