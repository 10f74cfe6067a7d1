import { expect, test } from "vitest";
import type { Link } from "../../../shared/domain/link.ts";
import { type PersonView, planUser } from "../../../shared/domain/plan.ts";
import { ADA_ID, ada, adasGuest, job, MOMENT, mapper, pair, SELF } from "../people.ts";

const mappings = [
  { target: "displayName", source: "displayName" },
  { target: "employeeType", constant: "Vendor", flowType: "ObjectAddOnly" },
  { target: "city", source: "city", defaultValue: "Oslo" },
] as const;

/** Ada's guest is there, and its creation may have been interrupted before anything was written. */
function planFor(state: Link["state"]) {
  const its = job({ mapper: mapper(mappings) });
  const view: PersonView = {
    now: 10_000_000,
    link: { state, userId: ADA_ID, targetId: "t1", jobId: its.id },
    scope: { kind: "in", job: its, user: ada() },
    target: { kind: "found", user: adasGuest({ attributes: { displayName: "Ada Lovelace" } }) },
    manager: { kind: "leave" },
    groupsHealthy: true,
    moment: MOMENT,
    self: SELF,
  };
  const allowances = { replicationAllowanceMs: 90_000, indexAllowanceMs: 300_000, secondReadingMs: 2_000 };
  return planUser(view, { pair: pair([its]), ...allowances });
}

test("an interrupted creation is finished with what belongs to creations alone", () => {
  expect(planFor("invited")).toMatchObject({
    kind: "update",
    effect: "finish",
    changes: { employeeType: "Vendor", city: "Oslo" },
  });
});

test("an update leaves that alone", () => {
  expect(planFor("linked")).toMatchObject({ kind: "keep", because: "asWished" });
});
