import { expect, test } from "vitest";
import type { LinkState } from "../../shared/domain/link.ts";
import { pauseJob, startJob } from "../../shared/pipeline/job-commands.ts";
import { pairKey } from "../../shared/pipeline/world.ts";
import { MINUTE, SECOND } from "../scenario/contoso.ts";
import { type TwoTenants, twoTenants } from "../scenario/two-tenants.ts";
import { APP_EVENTS, type AppEvent, appCell, LINK_STATES } from "./links.ts";

/** Every state of a link with something to do × everything that may happen to the app meanwhile, in a simulated world. */

/** Somebody is brought into a state; `goOn` is what there is to do then. */
interface Staged {
  c: TwoTenants;
  id: string;
  goOn: () => void;
}

const QUICK = { sweepMs: 30_000, fullPassMs: 60_000 };
const BY = { jobId: "a", by: "hub/alice" };
/** The anchor is the one creation, and one of two who leave is beyond the limit too. */
const TIGHT = {
  removals: { immediatePerHour: 0, perHour: 1, minimumSource: 0 },
  creations: { perHour: 1 },
  settlingMinutes: 0.1,
};

/** People act through an instance, and where none lives one is started. */
const worldOf = (c: TwoTenants) => (c.world.instances[0] ?? c.world.start()).world;

async function stage(state: LinkState, event: AppEvent): Promise<Staged> {
  const holds = event === "limitHolds" && (state === "none" || state === "linked");
  const limits = holds && state === "none" ? { limits: TIGHT } : {};
  const leaves = holds && state === "linked" ? { limits: { ...TIGHT, creations: { perHour: 9 } } } : {};
  const c = twoTenants({
    seed: 8,
    timerMs: 10_000,
    settings: QUICK,
    jobs: (a) => [{ scope: { groups: [{ id: a }] }, ...limits, ...leaves }],
  });
  await c.untilSettled(MINUTE);
  if (state === "none") {
    const id = c.hire("ada", []);
    return { c, id, goOn: () => c.source.addMember(c.groupA, id) };
  }
  if (state === "inviting" || state === "invited") return cutOff(c, state);
  const ids = ["ada", "bob"].map((name) => c.hire(name, [c.groupA]));
  const [id = ""] = ids;
  await c.untilSettled(MINUTE);
  if (state === "linked") {
    const change = () => c.source.updateUser(id, { department: "1" });
    const leave = () => {
      for (const one of ids) c.source.removeMember(c.groupA, one);
    };
    return { c, id, goOn: holds ? leave : change };
  }
  c.source.deleteUser(id);
  await c.untilSettled(MINUTE);
  return { c, id, goOn: () => c.source.restoreUser(id) };
}

/** The only worker dies when the invitation was answered, or when its answer is on record. */
async function cutOff(c: TwoTenants, state: "inviting" | "invited"): Promise<Staged> {
  const id = c.hire("ada", [c.groupA]);
  c.world.hooks.after = ({ instance, what }) => {
    const invited = state === "inviting" && what.includes("POST hub /invitations");
    const recorded = state === "invited" && what === "write links" && c.link(id)?.state === "invited";
    if (!invited && !recorded) return;
    c.world.hooks.after = undefined;
    instance.kill();
    return new Promise<never>(() => {});
  };
  for (let waited = 0; waited < 60 && c.world.instances.length > 0; waited++) await c.world.clock.runFor(SECOND);
  return { c, id, goOn: () => void (c.world.instances.length === 0 && c.world.start()) };
}

async function hintTwice(c: TwoTenants, userId: string): Promise<void> {
  for (const id of [c.world.random.uuid(), c.world.random.uuid()]) {
    const body = { version: 1, id, lane: "changes", sourceTenantId: c.sourceId, userIds: [userId], reason: "operator" };
    await c.world.bus.send("changes", [{ id, body: { ...body, attempt: 0, noticedAt: c.world.clock.now() } }]);
  }
}

/** The first write of the link finds that somebody has written it since it was read. */
function movesRow(c: TwoTenants, userId: string): () => boolean {
  let moved = false;
  c.world.hooks.before = async ({ what, about }) => {
    if (moved || what !== "write links" || about !== userId) return;
    moved = true;
    const rows = c.world.store.rows<object>("links");
    const place = [pairKey(c.sourceId, c.targetId), userId] as const;
    await rows.put(...place, (await rows.read(...place))?.value ?? { state: "none", userId });
  };
  return () => moved;
}

/** Plays the event around what there is to do. Answers whether it has met anything. */
async function play({ c, id, goOn }: Staged, event: AppEvent): Promise<() => boolean> {
  switch (event) {
    case "hintsLost":
      goOn();
      for (let waited = 0; waited < 20; waited++) {
        await c.world.clock.runFor(SECOND / 2);
        for (const queue of ["changes", "sweep"] as const) c.world.broker.purge(queue);
      }
      return () => true;
    case "hintsDoubled":
      goOn();
      await hintTwice(c, id);
      return () => true;
    case "workerDies": {
      let died = false;
      c.world.hooks.after = ({ instance, what, about, changes }) => {
        const concerns = changes && (about === id || what.includes(" hub /"));
        if (died || !concerns) return;
        died = true;
        instance.kill();
        c.world.clock.after(SECOND, () => void c.world.start());
        return new Promise<never>(() => {});
      };
      goOn();
      return () => died;
    }
    case "rowMoved": {
      const moved = movesRow(c, id);
      goOn();
      return moved;
    }
    case "limitHolds":
      goOn();
      return () => true;
    case "jobPaused": {
      const paused = pauseJob(worldOf(c), { ...BY, why: "a test" });
      await c.world.clock.runFor(5 * SECOND);
      await paused;
      goOn();
      return () => true;
    }
  }
}

const cells = APP_EVENTS.flatMap((event) =>
  LINK_STATES.map((state) => ({ event, state, next: appCell(state, event) })),
);

test.each(cells)(
  "something is to be done for a link that is $state, $event: comes to rest as $next",
  async ({ event, state, next }) => {
    const staged = await stage(state, event);
    const { c, id } = staged;
    expect(c.link(id)?.state ?? "none").toBe(state);
    const met = await play(staged, event);
    await c.world.clock.runFor(4 * MINUTE);
    expect(met()).toBe(true);
    expect(c.link(id)?.state ?? "none").toBe(next);
    if (event === "limitHolds" && state === "linked") expect(c.link(id)?.because).toBe("REMOVALS_HELD");
    if (event === "limitHolds" && state === "none") expect(c.link(id)?.because).toBe("CREATIONS_HELD");
    if (event === "jobPaused") {
      await startJob(worldOf(c), BY);
      await c.world.clock.runFor(2 * MINUTE);
      expect(c.link(id)?.state).toBe("linked");
    }
    expect(c.guestsOf(id).length).toBeLessThan(2);
    expect(c.crimes()).toEqual([]);
    if (event !== "limitHolds") expect(c.faults()).toEqual([]);
    c.world.close();
  },
);
