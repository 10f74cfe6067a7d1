import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Link } from "../../shared/domain/link.ts";
import type { Checkpoint, LogRow } from "../../shared/pipeline/world.ts";
import { MINUTE } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** Somebody who can write to our tables can stop us, and cannot make us write to anybody else, or send a token elsewhere. */
let c: TwoTenants;
let ada: string;
let eve: string;
let employee: string;

beforeEach(async () => {
  c = twoTenants({ seed: 95 });
  [ada, eve] = [c.hire("ada", [c.groupA]), c.hire("eve", [c.groupA])];
  employee = c.target.createUser({
    displayName: "Employee",
    userPrincipalName: "boss@hub.example",
    mail: "boss@hub.example",
    userType: "Member",
    accountEnabled: true,
    department: "Board",
  });
  await c.untilSettled(5 * MINUTE);
  expect(c.faults()).toEqual([]);
});
afterEach(() => c.world.close());

async function tamper(changes: Partial<Link>): Promise<void> {
  const row = c.world.store.dump("links").find(({ row }) => row === ada);
  if (!row) throw new Error("no link");
  await c.world.store
    .rows("links")
    .put(row.partition, row.row, { ...(row.value as Link), inputs: undefined, ...changes });
}
const codes = () =>
  c.world.store.dump("provisioninglog").flatMap(({ value }) => {
    const { userId, code } = value as LogRow;
    return userId === ada && code ? [code] : [];
  });
const untouched = (id: string) => {
  const { properties, deletedAt } = c.target.user(id) ?? {};
  return { department: properties?.department, enabled: properties?.accountEnabled, deleted: deletedAt !== undefined };
};

describe.each<[string, (id: string) => void]>([
  ["a change", (id) => c.source.updateUser(id, { department: "7" })],
  ["a disabled account", (id) => c.source.updateUser(id, { accountEnabled: false })],
  ["a deletion", (id) => c.source.deleteUser(id)],
  ["a lost membership", (id) => c.source.removeMember(c.groupA, id)],
])("%s of somebody whose link", (_, happens) => {
  test("was pointed at an employee of the target leaves the employee alone", async () => {
    const before = untouched(employee);
    await tamper({ targetId: employee });
    happens(ada);
    await c.world.clock.runFor(MINUTE);
    expect(untouched(employee)).toEqual(before);
    expect(codes()).toContain("TARGET_NOT_EXTERNAL");
  });

  test("was pointed at another person's guest leaves the guest alone", async () => {
    const guest = c.guestsOf(eve)[0]?.id ?? "";
    const before = untouched(guest);
    await tamper({ targetId: guest });
    happens(ada);
    await c.world.clock.runFor(MINUTE);
    expect(untouched(guest)).toEqual(before);
    expect(codes()).toContain("TARGET_TAKEN");
  });
});

test.each(["../groups/1", "x?$select=id", "00000000-0000-4000-8000-000000000000/manager/$ref"])(
  "an id in a link that is none (%s) writes nothing",
  async (targetId) => {
    const before = JSON.stringify([...c.target.users()]);
    await tamper({ targetId });
    c.source.updateUser(ada, { department: "7" });
    await c.world.clock.runFor(30_000);
    expect(JSON.stringify([...c.target.users()])).toBe(before);
  },
);

test("a saved link to another host is never followed, and told as a security event", async () => {
  const row = c.world.store.dump("checkpoints").find(({ row }) => row === "users");
  if (!row) throw new Error("no checkpoint");
  const link = "https://evil.example/v1.0/users/delta?$deltatoken=1";
  await c.world.store.rows("checkpoints").put(row.partition, row.row, { ...(row.value as Checkpoint), link });
  await c.world.clock.runFor(3 * MINUTE);
  const events = c.world.log.filter(({ event }) => event === "security event");
  expect(events.length).toBeGreaterThan(0);
  expect(events[0]?.fields).toMatchObject({ what: "foreignLink", tenantId: c.sourceId });
});
