import type { AttributeValue } from "../user.ts";
import type { TargetAttribute } from "./targets.ts";

/** When a mapped value is written. Source: Graph `synchronization-attributemapping.md`. */
export const FLOW_TYPES = ["Always", "ObjectAddOnly", "AttributeAddOnly", "ValueAddOnly", "MultiValueAddOnly"] as const;
export type FlowType = (typeof FLOW_TYPES)[number];

/**
 * One attribute mapping, as it stands in the configuration. Exactly one of `source` (direct), `constant` and `expression`;
 * none of them, with a `defaultValue`: the mapping type "none". Source: Entra `customize-application-attributes.md`.
 */
export interface AttributeMapping {
  /** Property of the target user as Graph names it; nested ones with a dot. */
  target: string;
  source?: string | undefined;
  constant?: string | boolean | undefined;
  expression?: string | undefined;
  /** Written when the target user is created and the source has nothing. */
  defaultValue?: string | undefined;
  /** Default: `Always`. */
  flowType?: FlowType | undefined;
  /** `FlowAlways`: never skipped because nothing has changed at the source. */
  flowBehavior?: "FlowWhenChanged" | "FlowAlways" | undefined;
  /** Empty at the source empties the target. Needs the job's `flowNullValues` too. */
  flowNullValues?: boolean | undefined;
  /** A change of letter case alone is written. */
  caseExact?: boolean | undefined;
  /** 1 is asked first; 0 or absent: does not match. */
  matchingPriority?: number | undefined;
}

/** Mapping type "none": the target is left as it is, and filled with the default where it is empty. */
export const isNone = ({ source, constant, expression }: AttributeMapping): boolean =>
  source === undefined && constant === undefined && expression === undefined;

/** Whether mappings are evaluated for a new target user or for one that is there. */
export type Occasion = "create" | "update";

/** What one mapping asks for. */
export interface Wish {
  mapping: AttributeMapping;
  /** Null: the source is empty. */
  value: AttributeValue;
  /** The default, in the target's type. */
  otherwise?: AttributeValue;
  /** What the target attribute takes. */
  attribute?: TargetAttribute;
}
