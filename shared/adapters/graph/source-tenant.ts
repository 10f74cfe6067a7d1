import * as z from "zod";
import type { Reading } from "../../domain/adoption.ts";
import { SyncError } from "../../domain/error.ts";
import { groupKey, type ScopeGroup } from "../../domain/job.ts";
import type { SourceUser } from "../../domain/user.ts";
import type { Lane, SourceTenant } from "../../ports/source-tenant.ts";
import type { GraphAnswer } from "./connection.ts";
import { errorDetail, type Gateway } from "./gateway.ts";
import { readVerifiedDomains } from "./guest-evidence.ts";
import { EXPAND_MANAGER, selectOf, sourceUserOf } from "./users.ts";

/** `checkMemberGroups` takes at most 20 groups. */
const GROUPS_PER_CHECK = 20;
/** A group that was just read is not read again for everybody who left it: "the same minute" is what a proof asks for. */
const GROUP_BELIEVED_MS = 15_000;

const Ids = z.object({ value: z.array(z.object({ id: z.string() })), "@odata.nextLink": z.string().optional() });

export class GraphSourceTenant implements SourceTenant {
  private readonly gateway: Gateway;
  private readonly now: () => number;
  private readonly groups = new Map<string, { at: number; state: Promise<"present" | "empty" | "missing"> }>();

  constructor(gateway: Gateway, now: () => number) {
    this.gateway = gateway;
    this.now = now;
  }

  async user(userId: string, attributes: readonly string[], lane: Lane): Promise<SourceUser | undefined> {
    const path = `/users/${userId}?$select=${selectOf(attributes, "source")}&${EXPAND_MANAGER}`;
    const answer = await this.gateway.read({ method: "GET", path }, lane);
    return answer.status === 404 ? undefined : sourceUserOf(this.found(answer), attributes, this.gateway.tenantId);
  }

  async isSoftDeleted(userId: string, lane: Lane): Promise<boolean> {
    const answer = await this.gateway.read(
      { method: "GET", path: `/directory/deletedItems/${userId}?$select=id` },
      lane,
    );
    if (answer.status === 404) return false;
    this.found(answer);
    return true;
  }

  async memberOf(userId: string, groups: readonly ScopeGroup[], lane: Lane): Promise<ReadonlySet<string> | undefined> {
    const direct = new Set(groups.filter((group) => !group.transitive).map(({ id }) => id));
    const transitive = [...new Set(groups.filter((group) => group.transitive).map(({ id }) => id))];
    const checks: Promise<readonly string[] | undefined>[] = [];
    for (let start = 0; start < transitive.length; start += GROUPS_PER_CHECK) {
      const check = this.check(userId, transitive.slice(start, start + GROUPS_PER_CHECK), lane);
      checks.push(check.then((ids) => ids?.map((id) => groupKey({ id, transitive: true }))));
    }
    if (direct.size > 0)
      checks.push(this.directGroups(userId, lane).then((ids) => ids?.filter((id) => direct.has(id))));
    const keys = new Set<string>();
    for (const found of await Promise.all(checks)) {
      if (!found) return undefined;
      for (const key of found) keys.add(key);
    }
    return keys;
  }

  groupState(groupId: string): Promise<"present" | "empty" | "missing"> {
    const known = this.groups.get(groupId);
    if (known && this.now() - known.at < GROUP_BELIEVED_MS) return known.state;
    const state = this.readGroup(groupId);
    this.groups.set(groupId, { at: this.now(), state });
    state.catch(() => this.groups.delete(groupId));
    return state;
  }

  verifiedDomains(lane: Lane): Promise<Reading<ReadonlySet<string>>> {
    return readVerifiedDomains(this.gateway, lane);
  }

  async usersWithAddress(address: string, lane: Lane): Promise<readonly string[]> {
    const value = `'${address.replaceAll("'", "''")}'`;
    const filter = encodeURIComponent(`mail eq ${value} or userPrincipalName eq ${value}`);
    return (await this.idsFrom(`/users?$filter=${filter}&$select=id`, lane)) ?? [];
  }

  async reportsOf(userId: string): Promise<readonly string[]> {
    return (await this.idsFrom(`/users/${userId}/directReports?$select=id&$top=999`, "changes")) ?? [];
  }

  private async check(userId: string, groupIds: readonly string[], lane: Lane): Promise<readonly string[] | undefined> {
    const call = { method: "POST", path: `/users/${userId}/checkMemberGroups`, body: { groupIds } } as const;
    const answer = await this.gateway.read(call, lane);
    if (answer.status === 404) return undefined;
    return this.parsed(z.object({ value: z.array(z.string()) }), answer).value;
  }

  private directGroups(userId: string, lane: Lane): Promise<readonly string[] | undefined> {
    return this.idsFrom(`/users/${userId}/memberOf?$select=id&$top=999`, lane);
  }

  private async readGroup(groupId: string): Promise<"present" | "empty" | "missing"> {
    const [group, members] = await Promise.all([
      this.gateway.read({ method: "GET", path: `/groups/${groupId}?$select=id` }, "changes"),
      this.gateway.read({ method: "GET", path: `/groups/${groupId}/members?$select=id&$top=1` }, "changes"),
    ]);
    if (group.status === 404 || members.status === 404) return "missing";
    this.found(group);
    return this.parsed(Ids, members).value.length > 0 ? "present" : "empty";
  }

  /** `undefined`: 404. */
  private async idsFrom(path: string, lane: Lane): Promise<readonly string[] | undefined> {
    const ids: string[] = [];
    let answer = await this.gateway.read({ method: "GET", path }, lane);
    if (answer.status === 404) return undefined;
    for (;;) {
      const page = this.parsed(Ids, answer);
      ids.push(...page.value.map(({ id }) => id));
      const next = page["@odata.nextLink"];
      if (!next) return ids;
      answer = await this.gateway.alone("read", { method: "GET", path: next });
    }
  }

  private found({ status, body }: GraphAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    throw new SyncError("TENANT_UNAVAILABLE", {
      tenantId: this.gateway.tenantId,
      detail: `${status} ${errorDetail(body)}`,
    });
  }

  private parsed<T>(schema: z.ZodType<T>, answer: GraphAnswer): T {
    const parsed = schema.safeParse(this.found(answer));
    if (parsed.success) return parsed.data;
    throw new SyncError("TENANT_UNAVAILABLE", {
      tenantId: this.gateway.tenantId,
      detail: "an answer without the documented shape",
    });
  }
}
