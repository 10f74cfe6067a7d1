import { ERRORS } from "../domain/error.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import type { World } from "./world.ts";

/** What a tenant lacks of the directory extensions that the configuration declares for it. */
export interface MissingExtensions {
  tenantId: string;
  /** Full names. */
  missing: readonly string[];
  /** Why nothing can be said of them, or nothing done about them. */
  because: "notDeclaredToCreate" | "noRegistration" | "notAllowed";
  remedy: string;
}

const REMEDIES = {
  notDeclaredToCreate: ERRORS.EXTENSION_MISSING.remedy,
  noRegistration:
    "The app registration is not in this tenant: register the app there, or name extensions of an app that is.",
  notAllowed: "Grant Application.ReadWrite.OwnedBy in the tenant, with the app as owner of its registration.",
} as const;

const TOLD_EVERY_MS = 3_600_000;
/** Tenants in which everything was found, and when the others were told of; by world, for as long as its process lives. */
const known = new WeakMap<World, { complete: Set<string>; toldAt: Map<string, number> }>();

/** Creates what is declared, wanted and not there; one tenant's trouble is nobody else's. Level-triggered: run as often as you like. */
export async function keepExtensions(world: World, log: DecisionLog): Promise<void> {
  const memory = known.get(world) ?? { complete: new Set<string>(), toldAt: new Map<string, number>() };
  known.set(world, memory);
  for (const tenantId of targetsWithExtensions(world)) {
    if (memory.complete.has(tenantId)) continue;
    try {
      const lacking = await keepTenantExtensions(world, tenantId, log);
      if (!lacking) memory.complete.add(tenantId);
      else if (world.clock.now() - (memory.toldAt.get(tenantId) ?? Number.NEGATIVE_INFINITY) >= TOLD_EVERY_MS) {
        memory.toldAt.set(tenantId, world.clock.now());
        log.error("directory extensions missing", { ...lacking });
      }
    } catch (error) {
      log.error("directory extensions not kept", { tenantId, error });
    }
  }
}

/** Asks each target tenant for what it lacks, and changes nothing. */
export async function missingExtensions(world: World): Promise<readonly MissingExtensions[]> {
  const all = await Promise.all(targetsWithExtensions(world).map((tenantId) => lackingIn(world, tenantId)));
  return all.filter((one) => one !== undefined);
}

async function keepTenantExtensions(
  world: World,
  tenantId: string,
  log: DecisionLog,
): Promise<MissingExtensions | undefined> {
  const lacking = await lackingIn(world, tenantId);
  if (lacking?.because !== "notDeclaredToCreate") return lacking;
  const left: string[] = [];
  for (const extension of declaredIn(world, tenantId).filter(({ name }) => lacking.missing.includes(name))) {
    if (!extension.create) left.push(extension.name);
    else {
      const made = await world.extensions(tenantId).create(extension);
      if (made === "notAllowed") return { ...lacking, because: "notAllowed", remedy: REMEDIES.notAllowed };
      if (made === "created") log.info("directory extension created", { tenantId, extension: extension.name });
    }
  }
  return left.length > 0 ? { ...lacking, missing: left } : undefined;
}

async function lackingIn(world: World, tenantId: string): Promise<MissingExtensions | undefined> {
  const own = await world.extensions(tenantId).own();
  if (own.kind !== "names") {
    // Extensions of other apps are theirs to look after, and Graph does not list them reliably.
    const wanted = declaredIn(world, tenantId).filter(({ create }) => create);
    if (wanted.length === 0) return undefined;
    return { tenantId, missing: wanted.map(({ name }) => name), because: own.kind, remedy: REMEDIES[own.kind] };
  }
  const { prefix, names } = own;
  const missing = declaredIn(world, tenantId)
    .map(({ name }) => name)
    .filter((name) => name.startsWith(prefix) && !names.has(name));
  if (missing.length === 0) return undefined;
  return { tenantId, missing, because: "notDeclaredToCreate", remedy: REMEDIES.notDeclaredToCreate };
}

const declaredIn = (world: World, tenantId: string) =>
  world.rules.tenants.find(({ id }) => id === tenantId)?.extensions ?? [];

const targetsWithExtensions = ({ rules }: World): readonly string[] => [
  ...new Set(rules.pairs.filter(({ target }) => target.extensions.length > 0).map(({ target }) => target.id)),
];
