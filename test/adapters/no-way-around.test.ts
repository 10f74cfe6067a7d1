import { readFile } from "node:fs/promises";
import { expect, test, vi } from "vitest";
import { Connection } from "../../shared/adapters/graph/connection.ts";
import { Gateway } from "../../shared/adapters/graph/gateway.ts";
import { GraphTargetTenant } from "../../shared/adapters/graph/target-tenant.ts";
import { systemChance, systemClock } from "../../shared/adapters/system/clock.ts";
import { Writable } from "../../shared/domain/writable.ts";

/** Before any HTTP: what may be written is asked in the adapter itself. */
const [OURS, OTHER, USER] = ["1", "2", "3"].map((n) => `${n.repeat(8)}-1111-4111-8111-111111111111`) as [
  string,
  string,
  string,
];

test("no write of any kind leaves for a user who was read in another tenant", async () => {
  const transport = vi.fn(async () => new Response(null, { status: 204 }));
  const token = vi.fn(async () => "token");
  const settings = { tenantId: OURS, root: "https://graph.microsoft.com", clock: systemClock, chance: systemChance };
  const target = new GraphTargetTenant(
    new Gateway(new Connection({ ...settings, token, transport })),
    settings.root,
    "x",
  );
  const foreign = Writable.invited(OTHER, { targetId: USER });
  const call = { lane: "changes", signal: AbortSignal.timeout(60_000) } as const;
  const refused = { code: "TARGET_TAKEN" };
  await expect(target.update(foreign, { department: "x" }, call)).rejects.toMatchObject(refused);
  await expect(target.setManager(foreign, null, call)).rejects.toMatchObject(refused);
  await expect(target.setManager(foreign, USER, call)).rejects.toMatchObject(refused);
  await expect(target.addSponsor(foreign, USER, call)).rejects.toMatchObject(refused);
  await expect(target.softDelete(foreign, call)).rejects.toMatchObject(refused);
  await expect(target.restore(foreign, call)).rejects.toMatchObject(refused);
  const invitation = { address: "a@b.example", redirectUrl: "https://x.example" };
  await expect(target.resetRedemption(foreign, invitation, call)).rejects.toMatchObject(refused);
  expect(transport).not.toHaveBeenCalled();
  expect(token).not.toHaveBeenCalled();
  await target.update(Writable.invited(OURS, { targetId: USER }), { department: "x" }, call);
  expect(transport).toHaveBeenCalledOnce();
});

test("nothing of the product writes to a group, a role or a policy of anybody", async () => {
  const files = [
    "target-tenant",
    "subscriptions",
    "extensions",
    "source-tenant",
    "source-changes",
    "target-listing",
    "guest-evidence",
  ];
  const writes: string[] = [];
  for (const file of files) {
    const text = await readFile(`shared/adapters/graph/${file}.ts`, "utf8");
    for (const [, method, path] of text.matchAll(/method: "(POST|PATCH|PUT|DELETE)",\s*path: [`"]?([^`",\s]*)/g))
      writes.push(`${method} ${path}`);
  }
  expect(writes.length).toBeGreaterThan(6);
  expect(writes.filter((write) => /group|role|polic|member/i.test(write))).toEqual([
    expect.stringContaining("checkMemberGroups"), // asks, and writes nothing
  ]);
});
