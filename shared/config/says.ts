import * as z from "zod";

/** What a key means, and an example: for `docs/configuration.md` and for editors. */
export const says = <T extends z.ZodType>(schema: T, description: string, example: unknown): T =>
  schema.meta({ description, examples: [example] });

export const name = () =>
  z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use 1 to 63 lower-case letters, digits and hyphens");
