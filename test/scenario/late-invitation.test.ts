import { expect, test } from "vitest";
import { StorageUnavailable } from "../../shared/ports/rows.ts";
import { MINUTE, SECOND } from "./contoso.ts";
import { expectSound, twoTenants } from "./two-tenants.ts";

const FROZEN_MS = 150 * SECOND;
const STORAGE_AWAY_MS = 60 * SECOND;

test("an invitation that arrives when it was given up, and the storage is away: the guest is found, and blocked as its person is", async () => {
  const c = twoTenants({ seed: 81 });
  await c.untilSettled(MINUTE);
  let id = "";
  let wakesAt: number | undefined;
  let frozen = "";
  let refused = 0;
  c.world.hooks.before = async ({ what, about, instance }) => {
    const now = c.world.clock.now();
    if (wakesAt === undefined && what.includes("POST hub /invitations")) {
      wakesAt = now + FROZEN_MS;
      frozen = instance.name;
      c.world.start();
      c.source.updateUser(id, { accountEnabled: false });
      instance.freeze(FROZEN_MS);
      return c.world.clock.sleep(FROZEN_MS);
    }
    if (wakesAt === undefined || instance.name !== frozen || about !== id) return;
    if (now < wakesAt || now > wakesAt + STORAGE_AWAY_MS) return;
    refused++;
    throw new StorageUnavailable("no answer");
  };
  id = c.hire("ada", [c.groupA]);
  await c.world.clock.runFor(FROZEN_MS - 20 * SECOND);
  expect(c.link(id)).toMatchObject({ state: "none", because: "disabledAndNeverProvisioned" });
  await c.world.clock.runFor(5 * MINUTE);
  expect(refused).toBeGreaterThan(1);
  expect(c.guestsOf(id)).toMatchObject([{ accountEnabled: false, deletedAt: undefined }]);
  expectSound(c);
  c.world.close();
});
