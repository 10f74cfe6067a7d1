import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { ListPage } from "../../ports/source-listing.ts";
import type { GraphAnswer, GraphCall } from "./connection.ts";
import { errorDetail, type Gateway } from "./gateway.ts";

/** Bulk is throttled first. Source: Graph `throttling.md`. */
export const LOW = { "x-ms-throttle-priority": "Low" };
/** Casts and some filters are advanced queries. Source: Graph `aad-advanced-queries.md`. */
export const ADVANCED = { ...LOW, ConsistencyLevel: "eventual" };
/** The most that Graph gives in one page of users or members. Source: Graph `user-list.md`, `group-list-members.md`. */
export const PAGE_MAX = 999;

const Page = z.object({
  value: z.array(z.unknown()),
  "@odata.nextLink": z.string().optional(),
  "@odata.deltaLink": z.string().optional(),
});
export type GraphPage = z.infer<typeof Page>;

/**
 * One page of a collection; every item is read by itself, so that a bad one does not cost the others. `of404`: what it
 * means that there is no such collection; without it that is no answer.
 */
export async function listPage<T>(
  gateway: Gateway,
  call: GraphCall,
  read: (item: unknown) => T | undefined,
  of404?: "empty",
): Promise<ListPage<T>> {
  const answer = await gateway.alone("read", call);
  if (hasExpired(answer)) return { kind: "expired" };
  if (answer.status === 404 && of404) return { kind: "page", items: [], unreadable: 0, next: undefined };
  const page = pageOf(gateway, answer);
  if (page["@odata.nextLink"]) gateway.ownLink(page["@odata.nextLink"]);
  const items = page.value.flatMap((item) => read(item) ?? []);
  return { kind: "page", items, unreadable: page.value.length - items.length, next: page["@odata.nextLink"] };
}

/** A page of the documented form, or a `SyncError` of the tenant. */
export function pageOf(gateway: Gateway, answer: GraphAnswer): GraphPage {
  if (answer.status !== 200) throw unusable(gateway, `${answer.status} ${errorDetail(answer.body)}`);
  const parsed = Page.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw unusable(gateway, "a page without its values");
}

export const unusable = (gateway: Gateway, detail: string): SyncError =>
  new SyncError("TENANT_UNAVAILABLE", { tenantId: gateway.tenantId, detail });

/** Seen with listings that take long, not documented: github.com/microsoftgraph/msgraph-sdk-dotnet/issues/2254. */
const hasExpired = ({ status, body }: GraphAnswer): boolean =>
  status >= 400 && status < 500 && /expiredpagetoken/i.test(errorDetail(body));

/** 410, or any of the codes that say that a delta token is of no use any more. Source: Graph `delta-query-overview.md`. */
export const isReset = ({ status, body }: GraphAnswer): boolean =>
  status === 410 ||
  (status >= 400 && status < 500 && /syncstatenotfound|resyncrequired|syncstateinvalid/i.test(errorDetail(body)));

const WithId = z.object({ id: z.guid() });
export const idOf = (item: unknown): string | undefined => WithId.safeParse(item).data?.id;

/** `undefined` where the item is not what it should be. */
export function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof SyncError) return undefined;
    throw error;
  }
}
