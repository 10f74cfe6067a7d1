import { expect, test } from "vitest";
import { contoso, EVENTUAL, query } from "./contoso.ts";

test("reads after a write are answered by replicas that lag, for as long as the lag and no longer", async () => {
  const world = contoso({ knobs: { replicationLagMs: 2000 } });
  const { hub, clock, truth } = world;
  await clock.runFor(10_000);
  const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com", department: "Old" });
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => (await hub("PATCH", `/users/${ada}`, { city: "Rome" })).status),
  );
  expect(new Set(statuses)).toEqual(new Set([404]));
  await clock.runFor(1000);
  const reads = await Promise.all(Array.from({ length: 50 }, async () => (await hub("GET", `/users/${ada}`)).status));
  expect(new Set(reads)).toEqual(new Set([200, 404]));
  await clock.runFor(1001);
  const later = await Promise.all(Array.from({ length: 50 }, async () => (await hub("GET", `/users/${ada}`)).status));
  expect(new Set(later)).toEqual(new Set([200]));

  await clock.runFor(10_000);
  truth("hub").updateUser(ada, { department: "New" });
  await clock.runFor(1000);
  const seen = await Promise.all(
    Array.from({ length: 50 }, async () => (await hub("GET", `/users/${ada}?$select=department`)).body.department),
  );
  expect(new Set(seen)).toEqual(new Set(["Old", "New"]));
  const shown = [...reads.map((status) => status === 404), ...seen.map((department) => department === "Old")];
  expect(world.tenants.statistics().hub).toMatchObject({ staleReads: shown.filter(Boolean).length, staleSearches: 0 });
});

test("names are unique in truth, whatever a replica says", async () => {
  const { hub, truth, clock } = contoso({ knobs: { replicationLagMs: 60_000 } });
  await clock.runFor(100_000);
  truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
  const again = {
    accountEnabled: true,
    displayName: "A",
    mailNickname: "ada",
    userPrincipalName: "ada@hub.com",
    passwordProfile: { password: "x" },
  };
  expect((await hub("POST", "/users", again)).body.error?.details).toMatchObject([{ code: "ObjectConflict" }]);
});

test("searches by address and advanced queries wait for the index", async () => {
  const { hub, truth, clock } = contoso({ knobs: { indexLagMs: 10_000 } });
  await clock.runFor(60_000);
  const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com", mail: "ada@hub.com", department: "R" });
  const byMail = async () =>
    (await hub("GET", `/users${query({ $filter: "mail eq 'ada@hub.com'" })}`)).body.value?.length;
  const byName = async () =>
    (await hub("GET", `/users${query({ $filter: "userPrincipalName eq 'ada@hub.com'" })}`)).body.value?.length;
  const advanced = async () =>
    (await hub("GET", `/users${query({ $filter: "department eq 'R'", $count: "true" })}`, undefined, EVENTUAL)).body
      .value?.length;
  await clock.runFor(4900);
  expect([await byMail(), await byName(), await advanced()]).toEqual([0, 1, 0]);
  await clock.runFor(5200);
  expect([await byMail(), await advanced()]).toEqual([1, 1]);

  truth("hub").updateUser(ada, { mail: "lovelace@hub.com" });
  expect(await byMail()).toBe(1);
  await clock.runFor(10_001);
  expect(await byMail()).toBe(0);
});

test("memberships lag like everything else", async () => {
  const { hub, truth, clock } = contoso({ knobs: { replicationLagMs: 4000 } });
  await clock.runFor(60_000);
  const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
  const group = truth("hub").createGroup({ displayName: "G", members: [ada] });
  await clock.runFor(10_000);
  const check = async () =>
    (await hub("POST", `/users/${ada}/checkMemberGroups`, { groupIds: [group] })).body.value?.length;
  expect(await check()).toBe(1);
  truth("hub").removeMember(group, ada);
  await clock.runFor(2000);
  const answers = await Promise.all(Array.from({ length: 40 }, check));
  expect(new Set(answers)).toEqual(new Set([0, 1]));
  await clock.runFor(2001);
  expect(new Set(await Promise.all(Array.from({ length: 40 }, check)))).toEqual(new Set([0]));
});

test("one seed gives one world, another seed another", async () => {
  const play = async (seed: number) => {
    const { hub, truth, clock } = contoso({
      seed,
      knobs: { replicationLagMs: 2000, latencyMs: [10, 200] },
      hub: { computedUsers: 50 },
    });
    const ada = truth("hub").createUser({ userPrincipalName: "ada@hub.com" });
    const seen: unknown[] = [ada];
    for (let i = 0; i < 20; i++) {
      const call = hub("GET", `/users/${ada}?$select=department`).then(({ status, headers }) =>
        seen.push(clock.now(), status, headers["request-id"]),
      );
      await clock.runFor(100);
      await clock.runUntil(() => seen.length === 1 + 3 * (i + 1), 1000);
      await call;
    }
    return seen;
  };
  expect(await play(5)).toEqual(await play(5));
  expect(await play(5)).not.toEqual(await play(6));
});
