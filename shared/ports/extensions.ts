import type { DirectoryExtension } from "../domain/mapping/targets.ts";

/** Directory extensions that the app's own registration owns in a tenant. Every call throws `SyncError` when Graph gives no answer. */
export interface Extensions {
  /**
   * Their full names, which all begin with the prefix. `noRegistration`: the registration is not in this tenant, which cannot hold extensions of it then.
   * `notAllowed`: the app lacks the permission.
   */
  own(): Promise<
    { kind: "names"; prefix: string; names: ReadonlySet<string> } | { kind: "noRegistration" } | { kind: "notAllowed" }
  >;
  /** Makes one for users. `exists`: somebody was faster. */
  create(extension: DirectoryExtension): Promise<"created" | "exists" | "notAllowed">;
}
