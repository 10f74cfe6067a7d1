import * as z from "zod";
import { says } from "./says.ts";

/** `filter` and `inputFilter` of a job's scope. */

const scalar = () => z.union([z.string(), z.number(), z.boolean()]);
const Clause = z.strictObject({
  attribute: says(z.string().min(1), "Attribute of the source user.", "department"),
  operator: says(z.string().min(1), "In the documented spelling, such as `EQUALS` or `REGEX MATCH`.", "EQUALS"),
  value: says(
    scalar().optional(),
    "What is compared with; `IS NULL`, `IS NOT NULL`, `IS TRUE` and `IS FALSE` take none.",
    "Sales",
  ),
});
export const ReadableGroups = z.array(
  z.strictObject({
    name: says(z.string().optional(), "Shown in the log.", "Sales in Norway"),
    clauses: says(z.array(Clause).min(1), "All of them have to hold.", [
      { attribute: "department", operator: "EQUALS", value: "Sales" },
    ]),
  }),
);
const CLAUSES = [{ sourceOperandName: "department", operatorName: "EQUALS", targetOperand: { values: ["Sales"] } }];
const EntraClause = z.looseObject({
  sourceOperandName: says(z.string(), "Attribute of the source user.", "department"),
  operatorName: says(z.string(), "In the documented spelling.", "EQUALS"),
  targetOperand: says(
    z
      .looseObject({ values: says(z.array(scalar()).nullish(), "What is compared with: one value.", ["Sales"]) })
      .nullish(),
    "What is compared with.",
    { values: ["Sales"] },
  ),
});
const entraGroups = (description: string) =>
  says(
    z
      .array(
        z.looseObject({
          name: says(z.string().nullish(), "Shown in the log.", "Sales in Norway"),
          clauses: says(z.array(EntraClause), "All of them have to hold.", CLAUSES),
        }),
      )
      .nullish(),
    description,
    [{ name: "Sales", clauses: CLAUSES }],
  );
export const EntraFilter = z.looseObject({
  groups: entraGroups("One of them has to hold as a whole."),
  inputFilterGroups: entraGroups("Whoever leaves them is left alone and not deprovisioned."),
  categoryFilterGroups: entraGroups("Not supported: has to be empty."),
});
