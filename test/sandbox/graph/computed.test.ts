import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { simulatedClock } from "../../../sandbox/clock.ts";
import { computedPeople } from "../../../sandbox/graph/computed.ts";
import { contoso, query } from "./contoso.ts";

test("id and name of computed people lead back to them, and are theirs alone", () => {
  const people = computedPeople(1, "tenant", "contoso.com", 20_000, simulatedClock().now());
  const ids = new Set<string>();
  for (let index = 0; index < people.count; index++) {
    const id = people.id(index);
    ids.add(id);
    expect(people.indexOf(id)).toBe(index);
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
    if (index % 100 === 0)
      expect(people.indexOfName(String(people.state(index).properties.userPrincipalName).toUpperCase())).toBe(index);
  }
  expect(ids.size).toBe(people.count);
  expect(people.indexOf("99999999-9999-4999-8999-999999999999")).toBeUndefined();
  expect(people.indexOfName("nobody.at.all.7@contoso.com")).toBeUndefined();
});

/** Bytes of the heap that are in use, without garbage that nobody has collected yet. */
function heapInUse(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

test("a million people cost little memory, and reading, finding and changing one of them is quick", async () => {
  const before = heapInUse();
  const { hub, truth } = contoso({ hub: { computedUsers: 1_000_000 }, knobs: { deltaPageSize: 500 } });
  const first = await hub("GET", "/users/delta?$select=displayName,manager");
  expect(first.body.value).toHaveLength(500);
  const someone = first.body.value?.[400];
  expect((await hub("PATCH", `/users/${someone?.id}`, { department: "Night Watch" })).status).toBe(204);
  const { userPrincipalName } = truth("hub").user(someone?.id ?? "") ?? {};
  const found = await hub(
    "GET",
    `/users${query({ $filter: `mail eq '${userPrincipalName}'`, $select: "department" })}`,
  );
  expect(found.body.value).toEqual([{ id: someone?.id, department: "Night Watch" }]);
  const { body } = await hub("GET", `/users/${someone?.id}/directReports?$select=id`);
  expect(body.value?.length).toBe(10);
  expect((await hub("GET", `/users/${body.value?.[3]?.id}/manager?$select=id`)).body.id).toBe(someone?.id);
  expect((await hub("GET", "/users/$count", undefined, { consistencylevel: "eventual" })).text).toBe("1000000");
  expect(heapInUse() - before).toBeLessThan(60 * 1024 * 1024);
});
