import { expect, test } from "vitest";
import { readSource } from "../../shared/pipeline/look.ts";
import { contoso, employee } from "../scenario/contoso.ts";

test("groups of which Graph answers 404 are no proof that somebody who exists has left them", async () => {
  const c = contoso({ seed: 41, people: 20 });
  const world = c.world.instances[0]?.world;
  const { id } = employee(c, "contoso-emea", 0);
  const pairs = world?.rules.pairs.filter(({ source }) => source.name === "contoso-emea") ?? [];
  const tenant = pairs[0]?.source.id;
  if (!world || !tenant) throw new Error("no pair");
  const source = world.source(tenant);
  const user = { id, userPrincipalName: "ada@contoso-emea.com", mail: null, userType: "Member", creationType: null };
  const found = { ...user, accountEnabled: true, managerId: undefined, attributes: {} };
  const reading = (memberOf: ReadonlySet<string> | undefined, exists = true) =>
    readSource(
      {
        ...world,
        source: () => ({
          user: async () => (exists ? found : undefined),
          memberOf: async () => memberOf,
          isSoftDeleted: async () => true,
          groupState: (groupId) => source.groupState(groupId),
          reportsOf: (userId) => source.reportsOf(userId),
          verifiedDomains: (lane) => source.verifiedDomains(lane),
          usersWithAddress: (address, lane) => source.usersWithAddress(address, lane),
        }),
      },
      id,
      pairs,
      "changes",
    );
  await expect(reading(undefined)).rejects.toMatchObject({ code: "TENANT_UNAVAILABLE", isolated: true });
  expect(await reading(new Set())).toMatchObject({ kind: "found" });
  expect(await reading(undefined, false)).toEqual({ kind: "deleted" });
  c.world.close();
});
