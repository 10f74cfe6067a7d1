import type { AdminScope } from "../domain/admin.ts";
import type { Mistake } from "./load.ts";
import type { SyncConfig } from "./schema.ts";

/** The part of the configuration that is about the admin API. */
export function* adminMistakes({ admin, tenants, jobs }: SyncConfig): Generator<Mistake> {
  const known = { targets: tenants.map(({ name }) => name), jobs: jobs.map(({ id }) => id) };
  for (const [index, scope] of (admin?.scopes ?? []).entries()) {
    for (const key of ["targets", "jobs"] as const) {
      for (const name of scope[key] ?? []) {
        if (known[key].includes(name)) continue;
        const what = key === "targets" ? "tenant" : "job";
        const remedy = `Use one of: ${known[key].join(", ")}.`;
        yield { path: `admin.scopes[${index}].${key}`, problem: `there is no ${what} ${name}`, remedy };
      }
    }
  }
}

export function adminScopesOf({ admin, tenants }: SyncConfig): readonly AdminScope[] {
  return (admin?.scopes ?? []).map(({ principal, targets, jobs }) => ({
    principalId: principal.toLowerCase(),
    targetTenantIds: targets && tenants.filter(({ name }) => targets.includes(name)).map(({ id }) => id),
    jobIds: jobs,
  }));
}
