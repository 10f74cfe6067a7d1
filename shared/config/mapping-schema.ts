import * as z from "zod";
import { FLOW_TYPES } from "../domain/mapping/mapping.ts";
import { says } from "./says.ts";

/** `mappings` of a job. */

const property = () => z.string().regex(/^[A-Za-z][\w.]{0,199}$/, "use the name of a Graph property");
export const MappingConfig = z
  .strictObject({
    target: says(property(), "Property of the target user, as Graph names it; nested ones with a dot.", "department"),
    source: says(
      property().optional(),
      "Direct mapping: a property of the source user. Set one of `source`, `constant` and `expression`; none of them, with a `defaultValue`, fills the target attribute where it is empty.",
      "department",
    ),
    constant: says(z.union([z.string(), z.boolean()]).optional(), "The same value for everybody.", "Contoso EMEA"),
    expression: says(
      z.string().min(1).max(10_000).optional(),
      "An expression of Entra's attribute mappings; see `expressions.md`.",
      'Join(" ", [givenName], [surname])',
    ),
    defaultValue: says(
      z.string().optional(),
      "Written when the target user is created and the source has nothing.",
      "unknown",
    ),
    flowType: says(
      z.enum(FLOW_TYPES).optional(),
      "`Always` (default), `ObjectAddOnly` (on creation only), `AttributeAddOnly` (where the target has no value), `ValueAddOnly` and `MultiValueAddOnly` (values are added and never taken away).",
      "ObjectAddOnly",
    ),
    flowBehavior: says(
      z.enum(["FlowWhenChanged", "FlowAlways"]).optional(),
      "`FlowWhenChanged` (default), or `FlowAlways`: compared with the target at every look.",
      "FlowWhenChanged",
    ),
    flowNullValues: says(
      z.boolean().optional(),
      "Empty at the source empties the target. Needs the job's `flowNullValues` too.",
      true,
    ),
    caseExact: says(
      z.boolean().optional(),
      "A change of letter case alone is written too. Default: as in Entra, it is not.",
      true,
    ),
    matchingPriority: says(
      z.number().int().min(0).max(100).optional(),
      "1 is asked first: a guest whose target attribute has the mapped value is a candidate for adoption.",
      1,
    ),
  })
  .meta({
    // For editors: what the loader says with a remedy.
    allOf: [
      ...[
        ["source", "constant"],
        ["source", "expression"],
        ["constant", "expression"],
      ].map((both) => ({ not: { required: both } })),
      { anyOf: ["source", "constant", "expression", "defaultValue"].map((one) => ({ required: [one] })) },
    ],
  });
