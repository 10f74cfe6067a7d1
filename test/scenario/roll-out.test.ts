import { expect, test } from "vitest";
import type { SyncConfig } from "../../shared/config/schema.ts";
import { contoso, employee, MINUTE } from "./contoso.ts";

const renamed = (config: SyncConfig, companyName: string): SyncConfig => ({
  ...config,
  jobs: config.jobs.map((job) => ({
    ...job,
    mappings: [
      { target: "displayName", source: "displayName" },
      { target: "companyName", constant: companyName },
    ],
  })),
});

test("two configurations at once: the older one claims nothing, and the newer one reaches everybody", async () => {
  const c = contoso({ seed: 31, config: (config) => renamed(config, "Old"), instances: 2 });
  await c.world.clock.runFor(5 * MINUTE);
  const guests = () => [...c.graph.truth("contoso").users()].filter(({ home }) => home?.tenant === "contoso-us");
  const named = (name: string) => guests().filter(({ properties }) => properties.companyName === name).length;
  expect(named("Old")).toBe(guests().length);
  c.world.start(renamed(c.world.config, "New")); // beside two instances of the old configuration
  const { id } = employee(c, "contoso-us", 0);
  c.graph.truth("contoso-us").updateUser(id, { displayName: "While Rolling Out" });
  await c.world.clock.runFor(10 * MINUTE);
  const superseded = c.world.log.filter(({ fields }) => fields.because === "CONFIG_SUPERSEDED");
  expect(superseded.length).toBeGreaterThan(0);
  for (const instance of c.world.instances.slice(0, 2)) instance.kill(); // the roll-out ends
  await c.world.clock.runFor(10 * MINUTE);
  expect(named("Old")).toBe(0);
  expect(named("New")).toBe(guests().length);
  expect(guests().find(({ home }) => home?.userId === id)?.properties.displayName).toBe("While Rolling Out");
  c.world.start(renamed(c.world.config, "Old")); // an old instance comes back late
  await c.world.clock.runFor(10 * MINUTE);
  expect(named("New")).toBe(guests().length);
  c.world.close();
});
