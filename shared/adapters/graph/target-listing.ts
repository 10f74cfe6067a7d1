import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { TargetUser } from "../../domain/user.ts";
import type { ListPage } from "../../ports/source-listing.ts";
import type { TargetChanges, TargetListing } from "../../ports/target-listing.ts";
import type { AttributeNames } from "../../ports/target-tenant.ts";
import type { Gateway } from "./gateway.ts";
import { ADVANCED, idOf, isReset, LOW, listPage, PAGE_MAX, pageOf, readable, unusable } from "./listing.ts";
import { selectOf, targetUserOf } from "./users.ts";

const Removed = z.object({ id: z.guid(), "@removed": z.object({}).loose() });
const Assignment = z.object({ principalId: z.guid() });

/**
 * Everything here needs `User.Read.All` only. `directoryObjects/getByIds` would ask for `Directory.Read.All`, which shows an
 * app the whole directory. Source: Graph `directoryobject-getbyids.md`.
 */
export class GraphTargetListing implements TargetListing {
  private readonly gateway: Gateway;
  private readonly stampAttribute: string;

  constructor(gateway: Gateway, stampAttribute: string) {
    this.gateway = gateway;
    this.stampAttribute = stampAttribute;
  }

  users(link: string | undefined, attributes: AttributeNames): Promise<ListPage<TargetUser>> {
    const first = `/users?$select=${this.select(attributes)}&$top=${PAGE_MAX}`;
    return this.list(link ?? first, attributes, false);
  }

  deletedUsers(link: string | undefined, attributes: AttributeNames): Promise<ListPage<TargetUser>> {
    const first = `/directory/deletedItems/microsoft.graph.user?$select=${this.select(attributes)}&$top=${PAGE_MAX}`;
    return this.list(link ?? first, attributes, true);
  }

  async changes(link: string | undefined, attributes: AttributeNames): Promise<TargetChanges> {
    const first = `/users/delta?$select=${this.select(attributes)}&$deltatoken=latest`;
    const answer = await this.gateway.alone("read", { method: "GET", path: link ?? first, headers: LOW });
    if (isReset(answer)) return { kind: "reset" };
    const page = pageOf(this.gateway, answer);
    const removedIds = page.value.flatMap((item) => Removed.safeParse(item).data?.id ?? []);
    const live = page.value.filter((item) => !Removed.safeParse(item).success);
    const users = live.flatMap((item) => this.user(item, attributes, false) ?? []);
    const [more, done] = [page["@odata.nextLink"], page["@odata.deltaLink"]];
    const next = more ?? done;
    if (next === undefined) throw unusable(this.gateway, "a page without nextLink and deltaLink");
    this.gateway.ownLink(next);
    return {
      kind: "page",
      users,
      removedIds,
      unreadable: live.length - users.length,
      next,
      done: more === undefined,
    };
  }

  /** Needs `RoleManagement.Read.Directory`. Source: Graph `rbacapplication-list-roleassignments.md`. */
  async administrators(): Promise<ReadonlySet<string> | undefined> {
    const found = new Set<string>();
    try {
      let path: string | undefined = "/roleManagement/directory/roleAssignments?$select=principalId";
      while (path !== undefined) {
        const page: ListPage<string> = await listPage(
          this.gateway,
          { method: "GET", path, headers: LOW },
          (item) => Assignment.safeParse(item).data?.principalId,
        );
        if (page.kind === "expired") throw unusable(this.gateway, "the list of role assignments has expired");
        // Whom it names is not known: nobody may be taken for somebody without a role.
        if (page.unreadable > 0) throw unusable(this.gateway, "a role assignment without its principal");
        for (const id of page.items) found.add(id);
        path = page.next;
      }
      return found;
    } catch (error) {
      if (error instanceof SyncError && error.code === "TENANT_CONSENT_MISSING") return undefined;
      throw error;
    }
  }

  async hasStamped(beginning: string): Promise<boolean> {
    const filter = encodeURIComponent(`startsWith(${this.stampAttribute},'${beginning.replaceAll("'", "''")}')`);
    const query = `?$count=true&$filter=${filter}&$select=id&$top=1`;
    for (const path of [`/users${query}`, `/directory/deletedItems/microsoft.graph.user${query}`]) {
      const page = await listPage(this.gateway, { method: "GET", path, headers: ADVANCED }, idOf);
      if (page.kind === "expired") throw unusable(this.gateway, "a search has expired");
      if (page.items.length + page.unreadable > 0) return true;
    }
    return false;
  }

  private list(path: string, attributes: AttributeNames, deleted: boolean): Promise<ListPage<TargetUser>> {
    return listPage(this.gateway, { method: "GET", path, headers: LOW }, (item) =>
      this.user(item, attributes, deleted),
    );
  }

  private user(item: unknown, attributes: AttributeNames, deleted: boolean): TargetUser | undefined {
    if (idOf(item) === undefined) return undefined;
    return readable(() => targetUserOf(item, attributes, this.gateway.tenantId, this.stampAttribute, deleted));
  }

  private select(attributes: AttributeNames): string {
    return selectOf(attributes, "target", this.stampAttribute);
  }
}
