import { badRequest, isRecord, pageSize, type Reply, unseal } from "./odata.ts";
import { type Call, context } from "./runtime.ts";
import { nextLink } from "./users.ts";

const PAGE = 100;

/** One page of a list that is at hand. */
export function page<T>(
  call: Call,
  all: readonly T[],
  path: string,
  contextName: string,
  render: (item: T) => unknown,
): Reply {
  const { tenant, query } = call;
  const size = pageSize(query, PAGE);
  const token = query.get("$skiptoken");
  const content = token === undefined ? { p: 0 } : unseal(token);
  if (!isRecord(content) || typeof content.p !== "number") throw badRequest("Badly formed token.");
  const start = content.p;
  const end = start + size;
  const counted = call.eventual && query.get("$count") === "true" && token === undefined;
  return {
    status: 200,
    body: {
      "@odata.context": context(tenant, contextName),
      ...(counted ? { "@odata.count": all.length } : {}),
      ...(end < all.length ? { "@odata.nextLink": nextLink(tenant, path, query, { p: end }) } : {}),
      value: all.slice(start, end).map(render),
    },
  };
}
