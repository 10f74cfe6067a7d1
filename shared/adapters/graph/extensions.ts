import * as z from "zod";
import { SyncError } from "../../domain/error.ts";
import type { DirectoryExtension } from "../../domain/mapping/targets.ts";
import type { Extensions } from "../../ports/extensions.ts";
import type { GraphAnswer } from "./connection.ts";
import { errorDetail, type Gateway, isObject } from "./gateway.ts";

const Page = z.object({
  value: z.array(z.object({ name: z.string() })),
  "@odata.nextLink": z.string().optional(),
});

/**
 * Asked of the registration itself: the list of all that a tenant knows is empty in tenants with more than 1,000 service
 * principals. Permission: Application.ReadWrite.OwnedBy.
 * Sources: Graph `application-list-extensionproperty.md`, `application-post-extensionproperty.md`,
 * `directoryobject-getavailableextensionproperties.md`.
 */
export class GraphExtensions implements Extensions {
  private readonly gateway: Gateway;
  private readonly clientId: string | undefined;

  /** `clientId`: of the registration; a managed identity has none. */
  constructor(gateway: Gateway, clientId: string | undefined) {
    this.gateway = gateway;
    this.clientId = clientId;
  }

  async own(): ReturnType<Extensions["own"]> {
    if (this.clientId === undefined) return { kind: "noRegistration" };
    const names = new Set<string>();
    let path: string | undefined = this.path;
    while (path) {
      const answer: GraphAnswer = await this.gateway.alone("read", { method: "GET", path, aside: true });
      if (answer.status === 404) return { kind: "noRegistration" };
      if (answer.status === 403) return { kind: "notAllowed" };
      const page = Page.safeParse(this.accepted(answer));
      if (!page.success) throw this.strange("a list of extensions without its values");
      for (const { name } of page.data.value) names.add(name);
      path = page.data["@odata.nextLink"];
    }
    return { kind: "names", prefix: `extension_${this.clientId.replaceAll("-", "").toLowerCase()}_`, names };
  }

  async create({ name, dataType, multiValued }: DirectoryExtension): Promise<"created" | "exists" | "notAllowed"> {
    const body = {
      name: name.replace(/^extension_[0-9a-f]{32}_/, ""),
      dataType,
      targetObjects: ["User"],
      ...(multiValued ? { isMultiValued: true } : {}),
    };
    const answer = await this.gateway.alone("write", { method: "POST", path: this.path, body, aside: true });
    if (answer.status === 403) return "notAllowed";
    if (answer.status === 400 && errorDetail(answer.body).includes("ObjectConflict")) return "exists";
    this.accepted(answer);
    return "created";
  }

  private get path(): string {
    return `/applications(appId='${this.clientId}')/extensionProperties`;
  }

  private accepted({ status, body }: GraphAnswer): unknown {
    if (status >= 200 && status < 300) return body;
    throw this.strange(`${status} ${errorDetail(body)}`);
  }

  private strange(detail: string): SyncError {
    return new SyncError("TENANT_UNAVAILABLE", { tenantId: this.gateway.tenantId, detail });
  }
}

/** Names of the extensions that a refused write would have needed; Graph tells them in its message alone. */
export function extensionsRefused(body: unknown): string | undefined {
  const error = isObject(body) && isObject(body.error) ? body.error : {};
  const { message } = error;
  if (typeof message !== "string" || !/extension propert(?:y|ies) (?:is|are) not available/i.test(message))
    return undefined;
  return message.match(/extension_[0-9a-f]{32}_\w+/gi)?.join(", ") ?? "unnamed";
}
