import type { Weakening } from "../domain/weakening.ts";
import { type JobConfig, LimitsConfig, SyncConfig } from "./schema.ts";
import type { TenantConfig } from "./tenant-schema.ts";

/**
 * In what a configuration protects less than the one before it. What makes it stricter, and what only changes whom the jobs
 * are about (groups, mappings, another unprotected target), is no weakening. The table of rules is in `docs/admin.md`.
 */
export function weakenings(previous: SyncConfig, next: SyncConfig): readonly Weakening[] {
  return [
    ...deploymentWeakenings(previous, next),
    ...next.tenants.flatMap((tenant) => [...tenantWeakenings(previous, next, tenant)]),
    ...next.jobs.flatMap((job) => [...jobWeakenings(previous, next, job)]),
  ];
}

/** The same for the text of an accepted configuration. One that this version cannot read weakens everything. */
export function weakeningsSince(previousText: string, next: SyncConfig): readonly Weakening[] {
  const previous = SyncConfig.safeParse(jsonOf(previousText));
  if (previous.success) return weakenings(previous.data, next);
  return [{ path: "(root)", what: "this version cannot read the accepted configuration, so nothing can be compared" }];
}

/** `undefined`: it is not JSON, and so no configuration. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

type Fields = Readonly<Record<string, unknown>>;

function* deploymentWeakenings(previous: SyncConfig, next: SyncConfig): Generator<Weakening> {
  if (previous.deployment !== next.deployment)
    yield {
      path: "deployment",
      what: `the name in every stamp changes from ${previous.deployment} to ${next.deployment}`,
    };
  yield* protections("", previous, next, undefined);
  yield* scopeWeakenings(previous, next);
}

/** A principal who was narrowed may do more. */
function* scopeWeakenings(previous: SyncConfig, next: SyncConfig): Generator<Weakening> {
  const of = (config: SyncConfig, principal: string) =>
    (config.admin?.scopes ?? []).filter((scope) => scope.principal === principal);
  for (const principal of new Set(previous.admin?.scopes.map((scope) => scope.principal))) {
    const path = `admin.scopes.${principal}`;
    const [before, after] = [of(previous, principal), of(next, principal)];
    if (after.length === 0) yield { path, what: "the principal is not narrowed any more" };
    else if (after.some((scope) => !before.some((old) => isWithin(scope, old))))
      yield { path, what: "the principal may act on more targets or jobs" };
  }
}

type Scope = NonNullable<SyncConfig["admin"]>["scopes"][number];
const isWithin = (scope: Scope, old: Scope): boolean =>
  subset(scope.targets, old.targets) && subset(scope.jobs, old.jobs);
/** `undefined`: everything. */
const subset = (part: readonly string[] | undefined, whole: readonly string[] | undefined): boolean =>
  whole === undefined || (part?.every((item) => whole.includes(item)) ?? false);

function* tenantWeakenings(previous: SyncConfig, next: SyncConfig, tenant: TenantConfig): Generator<Weakening> {
  const path = `tenants.${tenant.name}`;
  const concerned = targetsOf(next, tenant);
  const tell = function* (key: string, what: string): Generator<Weakening> {
    for (const targetTenantId of concerned) yield { path: `${path}.${key}`, what, targetTenantId };
  };
  const sameName = previous.tenants.find(({ name }) => name === tenant.name);
  if (sameName && sameName.id !== tenant.id) yield* tell("id", "the name stands for another tenant than before");
  const before = previous.tenants.find(({ id }) => id === tenant.id);
  if (!before) return;
  if (before.cloud !== tenant.cloud)
    yield* tell("cloud", `the endpoints change from ${before.cloud} to ${tenant.cloud}`);
  if (!same(before.credential, tenant.credential)) yield* tell("credential", "the app signs in as somebody else");
  if (before.redirectUrl !== tenant.redirectUrl) yield* tell("redirectUrl", "invited people land elsewhere");
  if (before.stampAttribute !== tenant.stampAttribute)
    yield* tell("stampAttribute", "the proof of who owns a guest is read elsewhere");
  yield* inboundWeakenings(path, before.inbound, tenant.inbound, tenant.id);
  if (looserThan(before.outbound, tenant.outbound)) yield* tell("outbound", "more may leave the tenant than before");
  yield* protections(`${path}.`, before, tenant, tenant.id);
}

/** Lists of what is allowed. The longer, the looser; an absent one allows everything. */
const ALLOWED = ["userTypes", "sources", "attributes", "jobs"];
/** Lists of what is required. The shorter, the looser. */
const REQUIRED = ["gates", "requiredGates"];

function* inboundWeakenings(
  path: string,
  before: Fields | undefined,
  after: Fields | undefined,
  targetTenantId: string,
): Generator<Weakening> {
  for (const key of Object.keys(before ?? {})) {
    const [old, now] = [before?.[key], after?.[key]];
    const looser = ALLOWED.includes(key)
      ? !isPart(now, old)
      : REQUIRED.includes(key)
        ? !isPart(old, now)
        : looserThan(old, now);
    if (looser) yield { path: `${path}.inbound.${key}`, what: "the target lets more in than before", targetTenantId };
  }
}

const isPart = (part: unknown, whole: unknown): boolean =>
  Array.isArray(part) && Array.isArray(whole) && part.every((item) => whole.some((other) => same(item, other)));

function* jobWeakenings(previous: SyncConfig, next: SyncConfig, job: JobConfig): Generator<Weakening> {
  const path = `jobs.${job.id}`;
  const [source, target] = tenantsOf(next, job);
  if (!source || !target) return;
  const targetTenantId = target.id;
  const tell = (key: string, what: string): Weakening => ({ path: `${path}.${key}`, what, targetTenantId });
  if (letsIn(job) && isProtected(target) && !hadSource(previous, source.id, target.id))
    yield tell("source", `${source.name} becomes a source of the protected target ${target.name}`);
  const before = previous.jobs.find(({ id }) => id === job.id);
  if (before && samePair(previous, before, source, target)) return yield* looserJob(path, before, job, target);
  // What was taken out may come back under any name: what nobody has to agree to is the defaults, and what a job of the pair had.
  const wider = [...looserIn(DEFAULT_LIMITS, job.limits, ["limits"])];
  if (wider.length > 0) yield tell("limits", `a new job has wider limits than the default ones: ${wider.join("; ")}`);
  if (job.adopt && ADOPTION.indexOf(job.adopt) > ADOPTION.indexOf(adoptionByDefault(target)))
    yield tell("adopt", "a new job takes over more guests than by default");
  const others = previous.jobs.filter((other) => samePair(previous, other, source, target));
  const looser = others.map((other) => [...looserJob(path, other, job, target)]);
  const told = new Set([`${path}.limits`, `${path}.adopt`]);
  for (const weakening of looser[0] ?? [])
    if (!told.has(weakening.path) && looser.every((all) => all.some((one) => one.path === weakening.path)))
      yield weakening;
}

/** In what a job protects less than another of the same pair. */
function* looserJob(path: string, before: JobConfig, job: JobConfig, target: TenantConfig): Generator<Weakening> {
  const targetTenantId = target.id;
  const tell = (key: string, what: string): Weakening => ({ path: `${path}.${key}`, what, targetTenantId });
  const [adopted, adopts] = [ADOPTION.indexOf(adoptionOf(before, target)), ADOPTION.indexOf(adoptionOf(job, target))];
  if (adopts > adopted) yield tell("adopt", "guests that this app did not make are taken over more easily");
  if (
    job.adopt === "redeemed" &&
    before.adopt === "redeemed" &&
    before.adoptBy === "signIn" &&
    job.adoptBy !== "signIn"
  )
    yield tell("adoptBy", "guests are taken over without a sign-in from the source tenant");
  if (before.userType === "guest" && job.userType === "member") yield tell("userType", "people become members");
  if (!before.changeUserType && job.changeUserType && job.userType === "member")
    yield tell("changeUserType", "guests who are there become members");
  if (!before.scope.allUsers && job.scope.allUsers) yield tell("scope.allUsers", "everybody of the source is in scope");
  if (before.scope.filter !== undefined && job.scope.filter === undefined)
    yield tell("scope.filter", "nothing narrows the scope any more");
  if (before.onOutOfScope !== "keep" && job.onOutOfScope === "keep")
    yield tell("onOutOfScope", "people who leave the scope keep their access");
  if (before.actions.delete && !job.actions.delete) yield tell("actions.delete", "people who left are not removed");
  if (!before.acceptUnlistedPair && job.acceptUnlistedPair)
    yield tell("acceptUnlistedPair", "a pair of clouds that Microsoft does not list is accepted");
  if (before.whileHeld === "block" && job.whileHeld === "nothing")
    yield tell("whileHeld", "people whose removal waits keep their access");
  if ((job.firstCycle?.expected ?? 0) > (before.firstCycle?.expected ?? 0))
    yield tell("firstCycle.expected", "more creations are not counted");
  yield* protections(`${path}.`, before, job, targetTenantId);
}

const DEFAULT_LIMITS = LimitsConfig.parse({});
const ADOPTION = ["none", "pending", "redeemed"] as const;
/** A job that is off does nothing, one that retires only removes. */
const letsIn = ({ state }: JobConfig): boolean => state !== "off" && state !== "retire";
const isGovernment = ({ cloud }: TenantConfig): boolean => cloud === "usGov" || cloud === "usGovDoD";
const adoptionByDefault = (target: TenantConfig) => (isGovernment(target) ? "none" : "pending");
const adoptionOf = (job: JobConfig, target: TenantConfig) => job.adopt ?? adoptionByDefault(target);
/** A government's tenant, and any whose administrators have said what they let in. */
const isProtected = (target: TenantConfig): boolean => isGovernment(target) || target.inbound !== undefined;

/** What limits, requires or bounds, by name: at the root, in a tenant, in a job. */
const PROTECTIONS = ["limits", "gates", "boundary"];

function* protections(
  path: string,
  before: Fields,
  after: Fields,
  targetTenantId: string | undefined,
): Generator<Weakening> {
  for (const key of PROTECTIONS) {
    const looser = [...looserIn(before[key], after[key], [key])];
    if (looser.length > 0)
      yield {
        path: `${path}${key}`,
        what: after[key] === undefined ? "is removed" : `is relaxed: ${looser.join("; ")}`,
        ...(targetTenantId === undefined ? {} : { targetTenantId }),
      };
  }
}

/**
 * Less is protected: something is taken away, a number of what is allowed grows (one that names a least shrinks), or a word or
 * a switch is another one. Lists are of what is required and may only grow, or of what is allowed and may only shrink. Gives
 * each place with what it was and what it is.
 */
function* looserIn(before: unknown, after: unknown, path: readonly string[]): Generator<string> {
  if (isFields(before) && isFields(after)) {
    for (const key of Object.keys(before)) yield* looserIn(before[key], after[key], [...path, key]);
    return;
  }
  if (!isLooser(before, after, path.at(-1) ?? "")) return;
  yield `${path.slice(1).join(".")} ${short(before)} → ${after === undefined ? "not set" : short(after)}`.trim();
}

function isLooser(before: unknown, after: unknown, name: string): boolean {
  if (before === undefined) return false;
  if (after === undefined || after === null) return true;
  if (typeof before === "number" && typeof after === "number")
    return /least|minimum|settling/i.test(name) ? after < before : after > before;
  if (Array.isArray(before)) return ALLOWED.includes(name) ? !isPart(after, before) : !isPart(before, after);
  return !same(before, after);
}

const looserThan = (before: unknown, after: unknown, name = ""): boolean =>
  !looserIn(before, after, [name]).next().done;

const SHORT_MAX = 80;
function short(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHORT_MAX ? `${text.slice(0, SHORT_MAX)}…` : text;
}

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

const tenantsOf = ({ tenants }: SyncConfig, { source, target }: JobConfig) =>
  [tenants.find(({ name }) => name === source), tenants.find(({ name }) => name === target)] as const;

/** The targets of jobs from or to this tenant. */
function targetsOf(config: SyncConfig, tenant: TenantConfig): readonly string[] {
  const concerned = config.jobs
    .filter(({ state, source, target }) => state !== "off" && (source === tenant.name || target === tenant.name))
    .flatMap((job) => tenantsOf(config, job)[1]?.id ?? []);
  return [...new Set(concerned)];
}

const hadSource = (config: SyncConfig, sourceId: string, targetId: string): boolean =>
  config.jobs.some((job) => {
    const [source, target] = tenantsOf(config, job);
    return letsIn(job) && source?.id === sourceId && target?.id === targetId;
  });

function samePair(config: SyncConfig, job: JobConfig, source: TenantConfig, target: TenantConfig): boolean {
  const [oldSource, oldTarget] = tenantsOf(config, job);
  return oldSource?.id === source.id && oldTarget?.id === target.id;
}
