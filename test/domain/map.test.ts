import { expect, test } from "vitest";
import { updatesOf } from "../../shared/domain/mapping/map.ts";

const [DIVISION, COST] = ["employeeOrgData.division", "employeeOrgData.costCenter"] as const;

test.each([
  {
    name: "nothing differs",
    wanted: { [DIVISION]: "A", [COST]: "1" },
    current: { [DIVISION]: "A", [COST]: "1" },
    written: {},
  },
  {
    name: "one part differs: the other goes along, or it would be cleared",
    wanted: { [DIVISION]: "B", [COST]: "1" },
    current: { [DIVISION]: "A", [COST]: "1" },
    written: { [DIVISION]: "B", [COST]: "1" },
  },
  {
    name: "a part that is empty at the source keeps what the target has",
    wanted: { [DIVISION]: "B" },
    current: { [DIVISION]: "A", [COST]: "1" },
    written: { [DIVISION]: "B", [COST]: "1" },
  },
  {
    name: "other nested attributes are merged by Graph",
    wanted: {
      "onPremisesExtensionAttributes.extensionAttribute1": "x",
      "onPremisesExtensionAttributes.extensionAttribute2": "y",
    },
    current: { "onPremisesExtensionAttributes.extensionAttribute2": "y" },
    written: { "onPremisesExtensionAttributes.extensionAttribute1": "x" },
  },
])("changes: $name", ({ wanted, current, written }) => {
  const wishes = Object.entries(wanted).map(([target, value]) => ({ mapping: { target, source: target }, value }));
  expect(updatesOf(wishes, current)).toEqual(written);
});
