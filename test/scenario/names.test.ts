import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Link } from "../../shared/domain/link.ts";
import { NAMES } from "../fuzz/hostile.ts";
import { MINUTE } from "./contoso.ts";
import { type TwoTenants, twoTenants } from "./two-tenants.ts";

/** Names in any script, and names that mean harm, end to end: stored, matched and shown as they are, and never a key. */
let c: TwoTenants;
const people = new Map<string, string>();
let twins: [string, string];

beforeAll(async () => {
  c = twoTenants({
    seed: 91,
    jobs: (groupA) => [
      {
        scope: { groups: [{ id: groupA }], filter: [{ clauses: [{ attribute: "surname", operator: "IS NOT NULL" }] }] },
        mappings: [
          { target: "displayName", source: "displayName" },
          { target: "givenName", source: "givenName" },
          { target: "surname", expression: "Left([surname], 64)" },
        ],
      },
    ],
  });
  c.source.updateUser([...c.source.users()][0]?.id ?? "", { surname: "Anchor" });
  for (const [index, name] of NAMES.entries()) {
    const said = { displayName: name, givenName: name.slice(0, 64).toWellFormed(), surname: name };
    people.set(name, c.hire(`person${index}`, [c.groupA], said));
  }
  const lookAlike = { displayName: "Ada", surname: "Ada" };
  twins = [c.hire("paypal", [c.groupA], lookAlike), c.hire("p\u0430ypal", [c.groupA], lookAlike)];
  await c.untilSettled(5 * MINUTE);
});
afterAll(() => c.world.close());

const guestOf = (id: string) => c.guestsOf(id)[0]?.properties;

test("the target is as the jobs say", () => {
  expect(c.faults()).toEqual([]);
  expect(c.crimes()).toEqual([]);
});

describe.each(NAMES)("%s", (name) => {
  test("is shown as it is", () => expect(guestOf(people.get(name) ?? "")?.displayName).toBe(name));
  test("has one guest", () => expect(c.guestsOf(people.get(name) ?? "")).toHaveLength(1));
});

test("a change from one of them to another arrives", async () => {
  const ids = [...people.values()];
  for (const [index, id] of ids.entries())
    c.source.updateUser(id, { displayName: NAMES[(index + 1) % NAMES.length] ?? "" });
  await c.untilSettled(5 * MINUTE);
  expect(ids.map((id) => guestOf(id)?.displayName)).toEqual(NAMES.map((_, index) => NAMES[(index + 1) % NAMES.length]));
  for (const [index, id] of ids.entries()) c.source.updateUser(id, { displayName: NAMES[index] ?? "" });
  await c.untilSettled(5 * MINUTE);
});

test("two addresses that look alike are two people", () => {
  const [one, other] = twins.map((id) => c.guestsOf(id)[0]);
  expect(one?.id).not.toBe(other?.id);
  expect([one?.home?.userId, other?.home?.userId]).toEqual(twins);
});

test("keys are ids and hashes: no name, no address, nothing that a key cannot hold", () => {
  for (const table of ["links", "targets", "provisioninglog", "limits", "passes"] as const) {
    for (const { partition, row, value } of c.world.store.dump(table)) {
      expect(`${partition} ${row}`).toMatch(/^[\w:. -]+$/);
      expect(`${partition}${row}`).not.toContain("@");
      const { address } = value as Link;
      if (table === "links" && address === undefined) expect(JSON.stringify(value)).not.toMatch(/@|Ada|O'Neil/);
    }
  }
});
