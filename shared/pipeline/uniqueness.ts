import type { Link } from "../domain/link.ts";
import { type MappingMoment, textsOf } from "../domain/mapping/map.ts";
import type { TargetView } from "../domain/plan.ts";
import type { ScopeDecision } from "../domain/scope.ts";
import type { Attributes } from "../domain/user.ts";
import type { Person } from "./look.ts";
import { ownedOf, takeValue, valueIsTaken } from "./ownership.ts";
import type { World } from "./world.ts";

/**
 * `SelectUniqueValue`: who has the values that it offers for somebody who is being made. The target's search index lags behind
 * writes, so that two people made at the same moment would both be told that a value is free: our own rows tell them apart.
 */
export async function askWhoHasThem(
  world: World,
  person: Person,
  link: Link | undefined,
  scope: ScopeDecision,
  target: TargetView,
  moment: MappingMoment,
): Promise<MappingMoment> {
  if (scope.kind !== "in" || scope.job.mapper.uniques.length === 0) return moment;
  if (target.kind !== "candidates" && link?.state !== "invited") return moment;
  const offers = scope.job.mapper.candidates(scope.user, moment);
  const taken = new Set<string>();
  await Promise.all(
    Object.entries(offers).map(async ([attribute, candidates]) => {
      for (const value of await takenOf(world, person, link?.targetId, attribute, textsOf(candidates)))
        taken.add(keyOf(attribute, value));
    }),
  );
  return { ...moment, offers, taken: (attribute, value) => taken.has(keyOf(attribute, value)) };
}

const keyOf = (attribute: string, value: string): string => `${attribute}\n${value.toLowerCase()}`;

async function takenOf(
  world: World,
  person: Person,
  targetId: string | undefined,
  attribute: string,
  values: readonly string[],
): Promise<readonly string[]> {
  if (values.length === 0) return [];
  const tenant = world.target(person.pair.target.id);
  const [holders, owned] = await Promise.all([
    tenant.holders(attribute, values, person.lane),
    Promise.all(values.map((value) => valueIsTaken(world, ownedOf(person), attribute, value, tenant))),
  ]);
  const others = holders.filter(({ userId }) => userId !== targetId).map(({ value }) => value);
  return [...others, ...values.filter((_, index) => owned[index])];
}

/** Before somebody is made with them; `false`: another person was faster, so that the choice has to be made again. */
export async function reserveValues(
  world: World,
  person: Person,
  uniques: readonly string[],
  wanted: Attributes,
): Promise<boolean> {
  for (const attribute of uniques) {
    const value = wanted[attribute];
    if (typeof value !== "string") continue;
    const taking = await takeValue(world, ownedOf(person), attribute, value, world.target(person.pair.target.id));
    if (taking.kind === "owned") return false;
  }
  return true;
}
