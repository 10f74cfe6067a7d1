import type { Random } from "../random.ts";
import type { Person } from "./people.ts";

/** A group to be made, with the keys of its people and the ids of the groups within. */
export interface GroupPlan {
  id: string;
  displayName: string;
  /** A Microsoft 365 group; otherwise a security group. */
  unified: boolean;
  people: readonly string[];
  groups: readonly string[];
}

/**
 * GlobalEmployees holds a group for each country, and each of these a group for each department: employees sit at the
 * bottom, the head of the tenant directly at the top. Contractors, rooms and programs are in none of them; guests are in
 * some, as in life. Inner groups come first.
 */
export function groupsOf(tenant: string, everybody: readonly Person[], random: Random): GroupPlan[] {
  const employees = everybody.filter(({ kind }) => kind === "employee");
  const outsiders = everybody.filter(({ kind }) => kind === "guest");
  const plan = (displayName: string, more: Partial<Pick<GroupPlan, "unified" | "people" | "groups">>): GroupPlan => ({
    id: random.uuid(),
    displayName,
    unified: false,
    people: [],
    groups: [],
    ...more,
  });
  const keys = (people: readonly Person[]) => people.map(({ key }) => key);

  const [head, ...others] = employees;
  const departments: GroupPlan[] = [];
  const countries: GroupPlan[] = [];
  for (const [country, inCountry] of groupBy(others, ({ country }) => country || "Elsewhere")) {
    const inner = [...groupBy(inCountry, ({ department }) => department || "Other")].map(([department, people]) =>
      plan(`${country} ${department}`, { people: keys(people) }),
    );
    departments.push(...inner);
    countries.push(plan(`${country} Employees`, { groups: inner.map(({ id }) => id) }));
  }
  // A guest in a nested group is still nobody of ours.
  const first = departments[0];
  const guest = outsiders[0];
  if (first && guest) departments[0] = { ...first, people: [...first.people, guest.key] };

  const globalEmployees = plan("GlobalEmployees", {
    people: head ? [head.key] : [],
    groups: countries.map(({ id }) => id),
  });
  const social = plan("Running Club", {
    unified: true,
    people: keys(
      everybody.filter(({ kind }) => kind !== "room" && kind !== "service").filter((_, index) => index % 9 === 3),
    ),
  });
  const all = [...departments, ...countries, globalEmployees, social];
  if (tenant !== "contoso") return all;

  // Only direct members count in the job to China: those of the group within do not.
  const travellers = plan("China Travellers", { people: keys(others.filter((_, index) => index % 11 === 5)) });
  const program = others.filter(({ department }, index) => department === "Operations" || index % 13 === 1);
  return [
    ...all,
    travellers,
    plan("China Program", { people: keys(program.length > 0 ? program : others.slice(0, 1)), groups: [travellers.id] }),
  ];
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
