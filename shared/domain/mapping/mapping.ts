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
