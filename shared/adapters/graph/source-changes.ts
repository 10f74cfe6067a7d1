import * as z from "zod";
import type { ChangePage, GroupChange, PageStart, SourceChanges } from "../../ports/source-changes.ts";
import type { GraphAnswer } from "./connection.ts";
import type { Gateway } from "./gateway.ts";
import { ADVANCED, isReset, LOW, pageOf, unusable } from "./listing.ts";
import { propertiesOf } from "./users.ts";

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
      const page = pageOf(this.gateway, answer);
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
    const page = pageOf(this.gateway, answer);
    const [more, done] = [page["@odata.nextLink"], page["@odata.deltaLink"]];
    for (const link of [more, done]) if (link) this.gateway.ownLink(link);
    if (more) return { kind: "page", ...read(page.value), next: { kind: "more", link: more } };
    if (done) return { kind: "page", ...read(page.value), next: { kind: "done", link: done } };
    throw unusable(this.gateway, "a page without nextLink and deltaLink");
  }
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
