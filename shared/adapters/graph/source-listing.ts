import type { ScopeGroup } from "../../domain/job.ts";
import type { SourceUser } from "../../domain/user.ts";
import type { ListPage, SourceListing } from "../../ports/source-listing.ts";
import type { Gateway } from "./gateway.ts";
import { ADVANCED, idOf, LOW, listPage, PAGE_MAX, readable } from "./listing.ts";
import { EXPAND_MANAGER, selectOf, sourceUserOf } from "./users.ts";

export class GraphSourceListing implements SourceListing {
  private readonly gateway: Gateway;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  users(link: string | undefined, attributes: readonly string[]): Promise<ListPage<SourceUser>> {
    const first = `/users?$select=${selectOf(attributes, "source")}&${EXPAND_MANAGER}&$top=${PAGE_MAX}`;
    return listPage(this.gateway, { method: "GET", path: link ?? first, headers: LOW }, (item) =>
      idOf(item) === undefined ? undefined : readable(() => sourceUserOf(item, attributes, this.gateway.tenantId)),
    );
  }

  members({ id, transitive }: ScopeGroup, link: string | undefined): Promise<ListPage<string>> {
    const kind = transitive ? "transitiveMembers" : "members";
    const first = `/groups/${id}/${kind}/microsoft.graph.user?$count=true&$select=id&$top=${PAGE_MAX}`;
    return listPage(this.gateway, { method: "GET", path: link ?? first, headers: ADVANCED }, idOf, "empty");
  }
}
