import type { DirectoryExtension } from "../domain/mapping/targets.ts";
import type { Mistake } from "./load.ts";
import type { TenantConfig } from "./tenant-schema.ts";

/** The directory extension that holds the stamp, on target users of this tenant. */
export const stampAttributeOf = ({ stampAttribute, credential }: TenantConfig): string =>
  stampAttribute ?? `extension_${appIdOf(credential)}_syncSource`;

export const extensionsOf = ({ extensions = [] }: TenantConfig): readonly DirectoryExtension[] => extensions;

/** Client id of the registration that may own extensions; a managed identity has none. */
export const registrationOf = ({ credential }: TenantConfig): string | undefined =>
  credential.kind === "managedIdentity" ? undefined : credential.clientId;

/** As it stands in names of extensions; of a managed identity there is no registration. */
const appIdOf = (credential: TenantConfig["credential"]): string =>
  credential.clientId?.replaceAll("-", "").toLowerCase() ?? "";

/** What is wrong with the declared extensions of a tenant. */
export function* extensionMistakes(tenant: TenantConfig, path: string): Generator<Mistake> {
  const { credential } = tenant;
  const all = extensionsOf(tenant);
  for (const [index, { name, create, multiValued, dataType }] of all.entries()) {
    const at = `${path}[${index}]`;
    if (all.findIndex((other) => other.name === name) < index)
      yield { path: `${at}.name`, problem: `${name} is declared twice`, remedy: "Keep one of the two." };
    if (name === stampAttributeOf(tenant))
      yield {
        path: `${at}.name`,
        problem: `${name} holds the stamp of this deployment`,
        remedy: "Remove it: no mapping may write the stamp.",
      };
    const own = credential.kind !== "managedIdentity" && name.startsWith(`extension_${appIdOf(credential)}_`);
    if (create && !own)
      yield {
        path: `${at}.create`,
        problem: "the app can only create extensions of its own registration in this tenant",
        remedy: "Name it after the `clientId` of the tenant's credential, or have its owner create it.",
      };
    if (multiValued && dataType !== "String")
      yield {
        path: `${at}.multiValued`,
        problem: `lists of ${dataType} are not supported`,
        remedy: "Use the dataType String, or a single value.",
      };
  }
}
