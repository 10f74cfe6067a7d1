import fc from "fast-check";
import { expect, test } from "vitest";
import { play, type Story, story } from "./story.ts";

/**
 * Two and three workers at the same people, their calls in any order: every call of every worker takes a time of its own, up
 * to a stand-still past its lease, and replicas are stale. Never two users for one person, never two owners of one target
 * user; an older value may land late only while somebody is going to look again; in the end everything is right.
 */

/** Replay a failure with `FC_SEED` (and `FC_PATH`) as printed. */
const SEED = Number(process.env.FC_SEED ?? 20_260_105);
const RUNS = Number(process.env.FC_RUNS ?? 60);

const NOTHING = { faults: [], crimes: [], unguarded: [] };

test("in any order of the effects of two and three workers nobody is made twice and no older value stands", async () => {
  await fc.assert(
    fc.asyncProperty(story, async (told) => {
      expect(await play(told)).toEqual(NOTHING);
    }),
    {
      seed: SEED,
      numRuns: RUNS,
      ...(process.env.FC_PATH ? { path: process.env.FC_PATH } : {}),
      endOnFailure: !process.env.FC_SHRINK,
    },
  );
});

const REGRESSIONS: readonly (Story & { name: string })[] = [
  {
    name: "a person who is deleted while the target is too new for its replicas is not forgotten",
    seed: 929_182,
    workers: 3,
    steps: [
      { who: "ada", what: "hint", thenMs: 996 },
      { who: "ada", what: "leave", thenMs: 686 },
      { who: "bob", what: "hint", thenMs: 0 },
    ],
    delays: [1, 292, 199],
    freezes: [{ call: 3, ms: 30_000 }],
    replicationLagMs: 4_500,
  },
  {
    name: "a block that two lagging replicas hid one after the other is set in the end",
    seed: 835_775,
    workers: 2,
    steps: [
      { who: "ada", what: "hint", thenMs: 0 },
      { who: "ada", what: "hint", thenMs: 3_400 },
      { who: "ada", what: "rename", thenMs: 39_987 },
      { who: "ada", what: "job", thenMs: 0 },
      { who: "ada", what: "rename", thenMs: 1_372 },
      { who: "bob", what: "rename", thenMs: 567 },
      { who: "ada", what: "change", thenMs: 0 },
      { who: "ada", what: "block", thenMs: 0 },
      { who: "bob", what: "block", thenMs: 26_220 },
      { who: "bob", what: "rename", thenMs: 19_496 },
    ],
    delays: [0, 1, 225, 91, 80, 244, 47, 161, 305, 132],
    freezes: [],
    replicationLagMs: 4_500,
  },
];

test.each(REGRESSIONS)("$name", async (told) => expect(await play(told)).toEqual(NOTHING));
