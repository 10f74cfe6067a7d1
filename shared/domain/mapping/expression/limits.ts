/** Characters of one mapping expression. Source: Entra `functions-for-customizing-application-data.md`. */
export const EXPRESSION_CHARACTERS_MAX = 10_000;
/** Calls within calls; deeper ones are refused before they can exhaust the stack. */
export const DEPTH_MAX = 100;
/** Diagnostics of one expression; after them a hostile text is not looked at any further. */
export const DIAGNOSTICS_MAX = 50;
/** Characters of a pattern. */
export const PATTERN_CHARACTERS_MAX = 1_000;
/** Instructions of a compiled pattern: linear time still multiplies by them. */
export const PATTERN_INSTRUCTIONS_MAX = 1_200;
/** Weight of the character classes of a pattern: those of Unicode are long tables, and without letter case longer ones. */
export const PATTERN_CLASSES_MAX = 200;
/** What a class of weight 1 costs to compile, in instructions. */
export const INSTRUCTIONS_PER_CLASS_WEIGHT = 10;
/** Instructions of all patterns of one expression, each counted with what it costs to compile even the smallest. */
export const ALL_PATTERNS_INSTRUCTIONS_MAX = 4_000;
/** The same for all patterns of one scoping filter. */
export const FILTER_PATTERNS_INSTRUCTIONS_MAX = 10_000;
export const PATTERN_BASE_INSTRUCTIONS = 100;
/** Characters of a value that a pattern looks at; what follows stays as it is. */
export const PATTERN_INPUT_CHARACTERS_MAX = 1_024;
/** Characters of any value within an evaluation. */
export const VALUE_CHARACTERS_MAX = 65_536;
/** Elements of a list. */
export const ELEMENTS_MAX = 10_000;
/** Work of one evaluation: about characters looked at, a pattern counting with its instructions. */
export const WORK_MAX = 1_000_000;
