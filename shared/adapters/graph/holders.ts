import * as z from "zod";
import type { Lane } from "../../ports/source-tenant.ts";
import type { Holder } from "../../ports/target-tenant.ts";

/** Graph refuses filters with too many conditions. */
const VALUES_MAX = 10;
const Item = z.looseObject({ id: z.string() });

type ReadPage = (path: string, advanced: boolean, lane: Lane) => Promise<readonly unknown[]>;

/**
 * Everybody, live or in the recycle bin, whose attribute has one of these values: who is restored has it again.
 * Source: Graph `aad-advanced-queries.md`.
 */
export async function readHolders(
  readPage: ReadPage,
  attribute: string,
  values: readonly string[],
  lane: Lane,
): Promise<readonly Holder[]> {
  const groups = Array.from({ length: Math.ceil(values.length / VALUES_MAX) }, (_, index) =>
    values.slice(index * VALUES_MAX, (index + 1) * VALUES_MAX),
  );
  const pages = await Promise.all(
    groups.flatMap((group) => {
      const filter = encodeURIComponent(group.map((value) => `${attribute} eq ${quoted(value)}`).join(" or "));
      const query = `$filter=${filter}&$select=id,${attribute}`;
      return [
        readPage(`/users?${query}`, false, lane),
        readPage(`/directory/deletedItems/microsoft.graph.user?$count=true&${query}`, true, lane),
      ];
    }),
  );
  return pages.flat().flatMap((raw) => {
    const item = Item.safeParse(raw);
    const value = item.success ? item.data[attribute] : undefined;
    return item.success && typeof value === "string" ? [{ value, userId: item.data.id }] : [];
  });
}

/** A string of OData. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
