import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { Holder } from "../../ports/target-tenant.ts";

/** Graph refuses filters with too many conditions. */
const VALUES_MAX = 10;

type ReadPage = (path: string, advanced: boolean) => Promise<readonly unknown[]>;

/**
 * Everybody, live or in the recycle bin, whose attribute has one of these values: who is restored has it again. Throws
 * `TENANT_UNAVAILABLE` for somebody who cannot be read: a value that is taken must not look free.
 * Source: Graph `aad-advanced-queries.md`.
 */
export async function readHolders(
  tenantId: string,
  readPage: ReadPage,
  attribute: string,
  values: readonly string[],
): Promise<readonly Holder[]> {
  const groups = Array.from({ length: Math.ceil(values.length / VALUES_MAX) }, (_, index) =>
    values.slice(index * VALUES_MAX, (index + 1) * VALUES_MAX),
  );
  const pages = await Promise.all(
    groups.flatMap((group) => {
      const filter = encodeURIComponent(group.map((value) => `${attribute} eq ${quoted(value)}`).join(" or "));
      const query = `$filter=${filter}&$select=id,${attribute}`;
      return [
        readPage(`/users?${query}`, false),
        readPage(`/directory/deletedItems/microsoft.graph.user?$count=true&${query}`, true),
      ];
    }),
  );
  const Item = z.object({ id: z.string(), [attribute]: z.string() });
  return pages.flat().map((raw) => {
    const item = Item.safeParse(raw);
    const [value, userId] = [item.data?.[attribute], item.data?.id];
    if (value !== undefined && userId !== undefined) return { value, userId };
    throw new SyncError("TENANT_UNAVAILABLE", { tenantId, detail: "a holder of a value without it" });
  });
}

/** A string of OData. */
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
