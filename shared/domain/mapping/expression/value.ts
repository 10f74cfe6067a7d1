import type { DateTime } from "./date-time.ts";

/**
 * Everything is text, as in Entra: numbers are their decimal digits and Booleans `True` or `False`. Only a date is kept
 * as such between functions, so that `CDate` is parsed once and nothing of it is lost.
 */
export type Value = null | string | DateTime | readonly string[];

/** What an evaluation may look at. Nothing else is read: no clock, no chance. */
export interface ExpressionInput {
  /** Strings, numbers, Booleans, null, and lists of them, by the name that stands between [ and ]. */
  attributes: Readonly<Record<string, unknown>>;
  /** Epoch milliseconds of `Now()`. */
  now: number;
  /** That many bytes from a cryptographic source. */
  randomBytes: (count: number) => Uint8Array;
  /** The default verified domain of the source tenant. */
  defaultDomain?: string;
}

export const textOf = (value: Exclude<Value, readonly string[]>): string | null =>
  value === null || typeof value === "string" ? value : value.toString();

export const isList = (value: Value): value is readonly string[] => Array.isArray(value);

/** A value of a user as expressions see it. An empty list is an absent attribute; objects have no text form. */
export function fromAttribute(raw: unknown): Value {
  if (typeof raw === "string") return raw;
  if (raw === null || raw === undefined) return null;
  if (Array.isArray(raw)) {
    const elements = raw.flatMap((item) => {
      const element = scalarText(item);
      return element === null ? [] : [element];
    });
    return elements.length === 0 ? null : elements;
  }
  return scalarText(raw);
}

function scalarText(raw: unknown): string | null {
  if (typeof raw === "string") return raw;
  if (typeof raw === "boolean") return raw ? "True" : "False";
  if (typeof raw === "number" || typeof raw === "bigint") return String(raw);
  if (typeof raw === "object" && raw !== null && "id" in raw && typeof raw.id === "string") return raw.id;
  return null;
}

const NUMBER = /^[+-]?\d+(?:\.\d+)?$/;
const INTEGER = /^[+-]?\d+$/;
const SAFE_DIGITS = 15;

export const readsAsNumber = (text: string): boolean => NUMBER.test(text);

/** `undefined`: not a whole number. */
export function integerOf(text: string): number | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}

/** Exact for any number of digits; the sign sorts as `a - b` would. */
export function compareNumbers(a: string, b: string): number {
  if (a.length <= SAFE_DIGITS && b.length <= SAFE_DIGITS) return Number(a) - Number(b);
  const digits = Math.max(fractionOf(a).length, fractionOf(b).length);
  const difference = scaled(a, digits) - scaled(b, digits);
  return difference === 0n ? 0 : difference < 0n ? -1 : 1;
}

const fractionOf = (text: string): string => text.split(".")[1] ?? "";
const scaled = (text: string, digits: number): bigint =>
  BigInt(text.replace("+", "").replace(".", "") + "0".repeat(digits - fractionOf(text).length));

export const boolean = (value: boolean): string => (value ? "True" : "False");

/**
 * `True` in any case and numbers other than zero; `False`, null and empty are false. `undefined`: neither true nor false.
 */
export function truthOf(text: string | null): boolean | undefined {
  if (text === null || text === "") return false;
  if (text === "True") return true;
  if (text === "False") return false;
  if (NUMBER.test(text)) return Number(text) !== 0;
  const lower = text.toLowerCase();
  if (lower === "true") return true;
  return lower === "false" ? false : undefined;
}
