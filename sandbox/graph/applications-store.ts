import type { TenantSpec } from "./api.ts";
import { objectIdOf } from "./tokens.ts";

export type ExtensionType = "Binary" | "Boolean" | "DateTime" | "Integer" | "LargeInteger" | "String";

/** A directory extension property of one tenant. */
export interface Extension {
  id: string;
  appId: string;
  appDisplayName: string;
  /** `extension_{appId without hyphens}_{name}`. */
  name: string;
  dataType: ExtensionType;
  isMultiValued: boolean;
  targetObjects: readonly string[];
}

export interface Application {
  id: string;
  appId: string;
  displayName: string;
  createdDateTime: string;
}

/** The app registrations of a tenant and the extension properties that they own. */
export class Applications {
  /** Lower case. */
  readonly verifiedDomains: readonly string[];
  private readonly applications: readonly Application[];
  private readonly extensions = new Map<string, Extension>();

  constructor(spec: TenantSpec, createdAt: number) {
    this.verifiedDomains = [spec.domain, spec.initialDomain, ...(spec.otherDomains ?? [])].map((domain) =>
      domain.toLowerCase(),
    );
    this.applications = spec.clients.map((client, index) => ({
      id: objectIdOf(spec.id, client.clientId, "application"),
      appId: client.clientId,
      displayName: client.displayName ?? `App ${index + 1}`,
      createdDateTime: `${new Date(createdAt).toISOString().slice(0, 19)}Z`,
    }));
    for (const client of spec.clients) {
      const application = this.byAppId(client.clientId);
      for (const { name, dataType } of client.extensions ?? []) {
        if (application)
          this.register(
            application,
            name,
            dataType,
            false,
            ["User"],
            objectIdOf(spec.id, client.clientId, `extension/${name}`),
          );
      }
    }
  }

  all(): readonly Application[] {
    return this.applications;
  }

  get(id: string): Application | undefined {
    return this.applications.find((application) => application.id === id.toLowerCase());
  }

  byAppId(appId: string): Application | undefined {
    return this.applications.find((application) => application.appId.toLowerCase() === appId.toLowerCase());
  }

  register(
    owner: Application,
    name: string,
    dataType: ExtensionType,
    isMultiValued: boolean,
    targetObjects: readonly string[],
    id: string,
  ): Extension {
    const full = `extension_${owner.appId.replaceAll("-", "").toLowerCase()}_${name}`;
    const extension = {
      id,
      appId: owner.appId,
      appDisplayName: owner.displayName,
      name: full,
      dataType,
      isMultiValued,
      targetObjects,
    };
    this.extensions.set(full.toLowerCase(), extension);
    return extension;
  }

  extension(name: string): Extension | undefined {
    return this.extensions.get(name.toLowerCase());
  }

  extensionsOf(appId?: string): Extension[] {
    return [...this.extensions.values()].filter((extension) => appId === undefined || extension.appId === appId);
  }

  remove(extension: Extension): void {
    this.extensions.delete(extension.name.toLowerCase());
  }
}
