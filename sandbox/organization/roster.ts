import * as z from "zod";
import type { Stage } from "./day-stage.ts";

/** Somebody of a source with the guest that stands for them in a target. */
export interface Employee {
  id: string;
  displayName: string;
  userPrincipalName: string;
  mail: string | null;
  givenName?: string | null | undefined;
  department?: string | null | undefined;
  guestId: string;
}

/** Somebody of the source who is in scope through exactly one group of a department. */
export interface Colleague extends Employee {
  groupId: string;
  groupName: string;
  managerId: string | undefined;
}

/** A group within a group, with everybody in it. */
export interface Nest {
  id: string;
  name: string;
  parentId: string;
  parentName: string;
  people: readonly Colleague[];
}

/** Who is there to play the day; each person plays one part. */
export interface Roster {
  take(): Colleague | undefined;
  takeGroup(): Nest | undefined;
  /** Somebody of another source who is a guest in the hub. */
  guestOfTenant(source: string): Employee | undefined;
  /** Somebody of the hub who is a guest in that target. */
  employeeOfHub(target: string): Employee | undefined;
  /** The guest in the hub of a user of the source. */
  guestOf(source: string, userId: string): string | undefined;
  readonly hubDepartmentGroup: string | undefined;
  readonly chinaGroup: string | undefined;
}

const Id = z.object({ id: z.string() });
const Group = z.object({ id: z.string(), displayName: z.string() });
const User = z.object({
  id: z.string(),
  displayName: z.string(),
  userPrincipalName: z.string(),
  mail: z.string().nullable(),
  givenName: z.string().nullish(),
  department: z.string().nullish(),
  accountEnabled: z.boolean(),
  userType: z.string().nullish(),
  creationType: z.string().nullish(),
});
type User = z.infer<typeof User>;
const SELECT = "id,displayName,userPrincipalName,mail,givenName,department,accountEnabled,userType,creationType";
/** A nest that is removed at once has to stay below what stops removals. */
const NEST_PEOPLE_MAX = 4;
/** So many parts; managers are asked for these people only. */
const PARTS = 12;

interface Membership {
  groupId: string;
  groupName: string;
  parentId: string;
  parentName: string;
}

/** Reads who is where, through Graph, as anybody could. */
export async function rosterOf(
  stage: Stage,
  names: { source: string; hub: string; others: readonly [us: string, gov: string, china: string] },
): Promise<Roster> {
  const { source, hub, others } = names;
  const [us, gov] = others;
  const [staff, hubStaff, usStaff, govStaff, inHub, inGov] = await Promise.all([
    employees(stage, source),
    employees(stage, hub),
    employees(stage, us),
    employees(stage, gov),
    stage.guests(hub),
    stage.guests(gov),
  ]);
  const { memberships, nests } = await nestedGroups(stage, source);
  const colleagues: Colleague[] = [];
  for (const user of staff) {
    const [membership, second] = memberships.get(user.id) ?? [];
    const guestId = guestBy(inHub, user.mail, user.userPrincipalName);
    if (!membership || second || guestId === undefined) continue;
    colleagues.push({
      ...user,
      guestId,
      groupId: membership.groupId,
      groupName: membership.groupName,
      managerId: undefined,
    });
  }
  const nest = nests
    .map((one) => ({ ...one, people: colleagues.filter(({ groupId }) => groupId === one.id) }))
    .find(({ people, size }) => people.length > 0 && people.length <= NEST_PEOPLE_MAX && people.length === size);
  // The last ones were hired last: they lead nobody.
  const free = colleagues.filter(({ groupId }) => groupId !== nest?.id).slice(-PARTS);
  const withManagers = await Promise.all(free.map((colleague) => withManager(stage, source, colleague)));
  const hubGroups = await nestedGroups(stage, hub);
  const china = (await groupsOf(stage, hub)).find(({ displayName }) => displayName === "China Program");
  return {
    take: () => withManagers.pop(),
    takeGroup: () => nest,
    guestOfTenant: (tenant) => {
      const users = tenant === us ? usStaff : govStaff;
      return users.flatMap((user) => employee(user, guestBy(inHub, ...addresses(user, tenant === gov)))).at(-1);
    },
    employeeOfHub: () => hubStaff.flatMap((user) => employee(user, guestBy(inGov, user.userPrincipalName))).at(-1),
    guestOf: (_, userId) => {
      const user = staff.find(({ id }) => id === userId);
      return user && guestBy(inHub, user.mail, user.userPrincipalName);
    },
    hubDepartmentGroup: hubGroups.nests[0]?.id,
    chinaGroup: china?.id,
  };
}

const addresses = (user: User, crossCloud: boolean) =>
  crossCloud ? [user.userPrincipalName] : [user.mail, user.userPrincipalName];

const employee = (user: User, guestId: string | undefined): Employee[] =>
  guestId === undefined ? [] : [{ ...user, guestId }];

function guestBy(guests: ReadonlyMap<string, string>, ...names: readonly (string | null)[]): string | undefined {
  const address = names.find((name) => name !== null);
  return address === undefined || address === null ? undefined : guests.get(address.toLowerCase());
}

/** The tenant's own people with mail, enabled. */
async function employees(stage: Stage, tenant: string): Promise<User[]> {
  const users = await stage.graph(tenant).list(`/users?$select=${SELECT}&$top=500`, User);
  return users.filter(
    ({ accountEnabled, userType, creationType, mail }) =>
      accountEnabled && userType === "Member" && !creationType && mail !== null,
  );
}

const groupsOf = (stage: Stage, tenant: string) =>
  stage.graph(tenant).list("/groups?$select=id,displayName&$top=500", Group);

/** The innermost groups below GlobalEmployees, and which of them each user is in. */
async function nestedGroups(stage: Stage, tenant: string) {
  const graph = stage.graph(tenant);
  const groups = new Map((await groupsOf(stage, tenant)).map((group) => [group.id, group]));
  const top = [...groups.values()].find(({ displayName }) => displayName === "GlobalEmployees");
  const memberships = new Map<string, Membership[]>();
  const nests: { id: string; name: string; parentId: string; parentName: string; size: number }[] = [];
  const members = async (id: string) => graph.list(`/groups/${id}/members?$select=id&$top=500`, Id);
  if (!top) return { memberships, nests };
  const countries = (await members(top.id)).flatMap(({ id }) => groups.get(id) ?? []);
  for (const country of countries) {
    const inner = (await members(country.id)).flatMap(({ id }) => groups.get(id) ?? []);
    for (const group of inner) {
      const people = await members(group.id);
      const place = {
        groupId: group.id,
        groupName: group.displayName,
        parentId: country.id,
        parentName: country.displayName,
      };
      nests.push({
        id: group.id,
        name: group.displayName,
        parentId: country.id,
        parentName: country.displayName,
        size: people.length,
      });
      for (const { id } of people) memberships.set(id, [...(memberships.get(id) ?? []), place]);
    }
  }
  return { memberships, nests };
}

async function withManager(stage: Stage, tenant: string, colleague: Colleague): Promise<Colleague> {
  const manager = await stage.graph(tenant).read(`/users/${colleague.id}/manager?$select=id`, Id);
  return { ...colleague, managerId: manager?.id };
}
