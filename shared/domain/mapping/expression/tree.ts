export const COMPARISONS = ["=", "<>", ">", ">=", "<", "<="] as const;
export type Comparison = (typeof COMPARISONS)[number];

/** Offsets count from 0. */
export type Node =
  | { type: "attribute"; name: string; at: number }
  | { type: "text"; value: string; at: number }
  /** The literal text of the number; a hexadecimal one is given in decimals. */
  | { type: "number"; value: string; at: number }
  | { type: "identifier"; name: string; at: number }
  /** Not closed: the text ended within it, and its arguments are not all there. */
  | { type: "call"; name: string; args: readonly (Node | undefined)[]; closed: boolean; at: number }
  | { type: "comparison"; operator: Comparison; left: Node; right: Node; at: number }
  | { type: "concatenation"; parts: readonly Node[]; at: number }
  /** Something that could not be read; told already. */
  | { type: "broken"; at: number };
