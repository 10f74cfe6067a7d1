import type * as z from "zod";
import type { AdminRole, Principal, Subject } from "../domain/admin.ts";
import type { World } from "../pipeline/world.ts";
import { parsed } from "./input.ts";

/** Something that people do. */
export interface Command {
  name: string;
  summary: string;
  role: AdminRole;
  /** Reads the body and everything that decides whether it may be done; throws `AdminError`. Changes nothing. */
  prepare(world: World, principal: Principal, body: unknown): Promise<Prepared>;
}

export interface Prepared {
  /** Each has to be within the principal's scope; none: the whole deployment. */
  about: readonly Subject[];
  /** For the audit log: ids. */
  subjects: readonly string[];
  /** Does it, after it has been written down; safe to repeat. Gives what is answered. */
  run(): Promise<object>;
}

export function command<T>(
  about: Pick<Command, "name" | "summary" | "role">,
  body: z.ZodType<T>,
  prepare: (world: World, principal: Principal, input: T) => Promise<Prepared>,
): Command {
  return { ...about, prepare: (world, principal, given) => prepare(world, principal, parsed(body, given)) };
}
