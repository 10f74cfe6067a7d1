import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { Subscription, Subscriptions, WantedSubscription } from "../../ports/subscriptions.ts";
import type { GraphAnswer } from "./connection.ts";
import { errorDetail, type Gateway } from "./gateway.ts";

const Item = z.object({
  id: z.string(),
  resource: z.string(),
  notificationUrl: z.string(),
  expirationDateTime: z.string(),
});

export class GraphSubscriptions implements Subscriptions {
  private readonly gateway: Gateway;

  constructor(gateway: Gateway) {
    this.gateway = gateway;
  }

  async list(): Promise<readonly Subscription[]> {
    const all: Subscription[] = [];
    let path: string | undefined = "/subscriptions";
    while (path) {
      const answer: GraphAnswer = await this.gateway.alone("read", { method: "GET", path });
      const page = this.parsed(z.object({ value: z.array(Item), "@odata.nextLink": z.string().optional() }), answer);
      all.push(...page.value.map(subscriptionOf));
      path = page["@odata.nextLink"];
    }
    return all;
  }

  async create(
    wanted: WantedSubscription,
  ): Promise<{ kind: "created"; id: string; expiresAt: number } | { kind: "exists" }> {
    const body = {
      changeType: "updated,deleted", // `created` is not a type of users and groups: `updated` covers it
      resource: wanted.resource,
      notificationUrl: wanted.notificationUrl,
      lifecycleNotificationUrl: wanted.lifecycleUrl,
      clientState: wanted.clientState,
      expirationDateTime: new Date(wanted.expiresAt).toISOString(),
      latestSupportedTlsVersion: "v1_2",
    };
    const answer = await this.gateway.alone("write", { method: "POST", path: "/subscriptions", body });
    if (answer.status === 409) return { kind: "exists" };
    const created = this.parsed(Item, answer);
    return { kind: "created", id: created.id, expiresAt: Date.parse(created.expirationDateTime) };
  }

  async renew(id: string, expiresAt: number): Promise<{ kind: "renewed"; expiresAt: number } | { kind: "missing" }> {
    const body = { expirationDateTime: new Date(expiresAt).toISOString() };
    const answer = await this.gateway.alone("write", { method: "PATCH", path: `/subscriptions/${id}`, body });
    if (answer.status === 404) return { kind: "missing" };
    return { kind: "renewed", expiresAt: Date.parse(this.parsed(Item, answer).expirationDateTime) };
  }

  async remove(id: string): Promise<void> {
    const answer = await this.gateway.alone("write", { method: "DELETE", path: `/subscriptions/${id}` });
    if (answer.status !== 404) this.accepted(answer);
  }

  private accepted({ status, body }: GraphAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    const code = status === 403 ? "TENANT_CONSENT_MISSING" : "TENANT_UNAVAILABLE";
    throw new SyncError(code, { tenantId: this.gateway.tenantId, detail: `${status} ${errorDetail(body)}` });
  }

  private parsed<T>(schema: z.ZodType<T>, answer: GraphAnswer): T {
    const parsed = schema.safeParse(this.accepted(answer));
    if (parsed.success) return parsed.data;
    throw new SyncError("TENANT_UNAVAILABLE", {
      tenantId: this.gateway.tenantId,
      detail: "an answer without the documented shape",
    });
  }
}

const subscriptionOf = ({ id, resource, notificationUrl, expirationDateTime }: z.infer<typeof Item>): Subscription => ({
  id,
  resource,
  notificationUrl,
  expiresAt: Date.parse(expirationDateTime),
});
