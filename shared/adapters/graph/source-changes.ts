import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { ChangePage, GroupChange, PageStart, SourceChanges } from "../../ports/source-changes.ts";
import type { GraphAnswer } from "./connection.ts";
import { errorDetail, type Gateway } from "./gateway.ts";
import { propertiesOf } from "./users.ts";

const LOW = { "x-ms-throttle-priority": "Low" };
/** Casts on members are advanced queries. Source: Graph `group-list-transitivemembers.md`. */
const ADVANCED = { ...LOW, ConsistencyLevel: "eventual" };

const Page = z.object({
  value: z.array(z.unknown()),
  "@odata.nextLink": z.string().optional(),
  "@odata.deltaLink": z.string().optional(),
});
const Removed = z.object({}).loose().optional();
const UserItem = z.object({ id: z.guid() });
const GroupItem = z.object({
  id: z.guid(),
  "@removed": Removed,
  "members@delta": z
    .array(z.object({ "@odata.type": z.string().optional(), id: z.guid(), "@removed": Removed }))
    .default([]),
});

export class GraphSourceChanges implements SourceChanges {
  private readonly gateway: Gateway;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  users(from: PageStart, select: readonly string[]): Promise<ChangePage> {
    const latest = from.kind === "now" ? "&$deltatoken=latest" : "";
    return this.deltaPage(from, `/users/delta?$select=${propertiesOf(select)}${latest}`, (items) => ({
      ...idsOf(items),
      groups: [],
    }));
  }

  groups(from: PageStart, groupIds: readonly string[]): Promise<ChangePage> {
    const filter = encodeURIComponent(groupIds.map((id) => `id eq '${id}'`).join(" or "));
    return this.deltaPage(from, `/groups/delta?$select=members&$filter=${filter}`, (items) => {
      const groups = items.flatMap((item) => {
        const parsed = GroupItem.safeParse(item);
        return parsed.success ? [parsed.data] : [];
      });
      const members = groups.flatMap((group) => group["members@delta"]);
      return {
        userIds: members.filter((member) => !isGroup(member)).map(({ id }) => id),
        groups: groups.map(groupChangeOf),
        unreadable: items.length - groups.length,
      };
    });
  }

  async closure(groupIds: readonly string[]): Promise<readonly string[]> {
    const all = new Set(groupIds);
    for (const groupId of groupIds) {
      for await (const ids of this.transitive(groupId, "group")) for (const id of ids) all.add(id);
    }
    return [...all];
  }

  transitiveUsers(groupId: string): AsyncIterable<readonly string[]> {
    return this.transitive(groupId, "user");
  }

  private async *transitive(groupId: string, kind: "user" | "group"): AsyncGenerator<readonly string[]> {
    let path: string | undefined =
      `/groups/${groupId}/transitiveMembers/microsoft.graph.${kind}?$count=true&$select=id&$top=999`;
    while (path) {
      const answer: GraphAnswer = await this.gateway.alone("read", { method: "GET", path, headers: ADVANCED });
      if (answer.status === 404) return;
      const page = this.page(answer);
      yield idsOf(page.value).userIds;
      path = page["@odata.nextLink"];
    }
  }

  private async deltaPage(
    from: PageStart,
    first: string,
    read: (items: readonly unknown[]) => Omit<ChangePage & { kind: "page" }, "kind" | "next">,
  ): Promise<ChangePage> {
    const path = from.kind === "link" ? from.link : first;
    const answer = await this.gateway.alone("read", { method: "GET", path, headers: LOW });
    if (isReset(answer)) return { kind: "reset" };
    const page = this.page(answer);
    const [more, done] = [page["@odata.nextLink"], page["@odata.deltaLink"]];
    for (const link of [more, done]) if (link) this.gateway.ownLink(link);
    if (more) return { kind: "page", ...read(page.value), next: { kind: "more", link: more } };
    if (done) return { kind: "page", ...read(page.value), next: { kind: "done", link: done } };
    throw this.unusable("a page without nextLink and deltaLink");
  }

  private page(answer: GraphAnswer): z.infer<typeof Page> {
    if (answer.status !== 200) throw this.unusable(`${answer.status} ${errorDetail(answer.body)}`);
    const parsed = Page.safeParse(answer.body);
    if (parsed.success) return parsed.data;
    throw this.unusable("a page without its values");
  }

  private unusable(detail: string): SyncError {
    return new SyncError("TENANT_UNAVAILABLE", { tenantId: this.gateway.tenantId, detail });
  }
}

/** 410, or any of the codes that say that the token is of no use any more. Source: Graph `delta-query-overview.md`. */
function isReset({ status, body }: GraphAnswer): boolean {
  return (
    status === 410 ||
    (status >= 400 && status < 500 && /syncstatenotfound|resyncrequired|syncstateinvalid/i.test(errorDetail(body)))
  );
}

const isGroup = (member: { "@odata.type"?: string | undefined }): boolean =>
  member["@odata.type"]?.toLowerCase() === "#microsoft.graph.group";

function groupChangeOf(group: z.infer<typeof GroupItem>): GroupChange {
  const nested = group["members@delta"].filter(isGroup);
  return {
    groupId: group.id,
    removed: group["@removed"] !== undefined,
    addedGroupIds: nested.filter((member) => !member["@removed"]).map(({ id }) => id),
    removedGroupIds: nested.filter((member) => member["@removed"]).map(({ id }) => id),
  };
}

function idsOf(items: readonly unknown[]): { userIds: readonly string[]; unreadable: number } {
  const userIds = items.flatMap((item) => {
    const parsed = UserItem.safeParse(item);
    return parsed.success ? [parsed.data.id] : [];
  });
  return { userIds, unreadable: items.length - userIds.length };
}
