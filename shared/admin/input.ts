import * as z from "zod";
import { AdminError } from "./problem.ts";

export const BODY_BYTES_MAX = 64 * 1024;

/** What we use of an HTTP request. */
export interface AdminRequest {
  method: string;
  /** Behind the API's root, without a slash at either end. */
  path: string;
  query: Iterable<[string, string]>;
  headers: { get(name: string): string | null };
  text(): Promise<string>;
}

const HARMFUL = new Set(["__proto__", "constructor", "prototype"]);

/** The body as JSON; an absent one is an empty object. Throws `TOO_LARGE`, early where the length is told, and `INVALID`. */
export async function bodyOf(request: AdminRequest): Promise<unknown> {
  if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw new AdminError("TOO_LARGE");
  const text = await request.text();
  if (Buffer.byteLength(text) > BODY_BYTES_MAX) throw new AdminError("TOO_LARGE");
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text, (key, value: unknown) => {
      if (HARMFUL.has(key)) throw new SyntaxError(`the name ${key} is not allowed`);
      return value;
    });
  } catch (error) {
    const said = error instanceof SyntaxError ? error.message.slice(0, 200) : "it is nested too deeply";
    throw new AdminError("INVALID", { mistakes: [{ path: "(body)", problem: `not JSON: ${said}` }] });
  }
}

/** The value as the schema has it; throws `INVALID` with the path of every mistake. */
export function parsed<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const mistakes = result.error.issues.slice(0, 50).map(({ path, message }) => ({
    path: path.map(String).join(".") || "(body)",
    problem: message,
  }));
  throw new AdminError("INVALID", { mistakes });
}

/** Each parameter at most once. */
export function queryOf(request: AdminRequest): Record<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of request.query) {
    if (values.has(name)) throw new AdminError("INVALID", { mistakes: [{ path: name, problem: "given twice" }] });
    values.set(name, value);
  }
  return Object.fromEntries([...values].filter(([name]) => !HARMFUL.has(name)));
}

export const PAGE_MAX = 200;
/** Every list takes these. */
export const Paging = {
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(50),
  cursor: z.string().min(1).max(600).optional(),
};
