import { Admin } from "../../shared/admin/router.ts";
import type { SyncConfig } from "../../shared/config/schema.ts";
import { ADMIN_ROLES } from "../../shared/domain/admin.ts";
import type { AccessTokens, Caller } from "../../shared/ports/access-tokens.ts";
import { type TwoTenants, type TwoTenantsOptions, twoTenants } from "../scenario/two-tenants.ts";

/** Two tenants, one or more instances, and people who call the admin API of the first. Tokens are names here. */

const HOME = "99999999-0000-4000-8000-000000000000";
const person = (n: number, roles: readonly string[]): Caller => ({
  tenantId: HOME,
  objectId: `00000000-0000-4000-8000-00000000000${n}`,
  appId: undefined,
  roles,
});
export const PEOPLE = {
  alice: person(1, ["Sync.Operate"]),
  bob: person(2, ["Sync.Approve"]),
  carol: person(3, ["Sync.Read"]),
  dora: person(4, ADMIN_ROLES),
  /** Narrowed to a target that is not the hub. */
  eve: person(5, ADMIN_ROLES),
  /** Narrowed to job `b`. */
  frank: person(6, ADMIN_ROLES),
  nobody: person(7, ["User.Read.All"]),
} as const satisfies Record<string, Caller>;
export type Name = keyof typeof PEOPLE;
export const nameOf = (name: Name): string => `${HOME}/${PEOPLE[name].objectId}`;

const tokens: AccessTokens = {
  verify: async (token) => (Object.hasOwn(PEOPLE, token) ? PEOPLE[token as Name] : undefined),
};

export interface Asked {
  status: number;
  body: Record<string, unknown>;
  headers: Record<string, string>;
}

export interface Stage extends TwoTenants {
  /** `POST commands/…` with a body, or a read. */
  ask(name: Name | string | undefined, path: string, body?: unknown, admin?: Admin): Promise<Asked>;
  adminOf(instance: number): Admin;
}

export function stage(options: TwoTenantsOptions & { author?: string } = { seed: 7 }): Stage {
  const c = twoTenants({ ...options, instances: 0 });
  for (let i = 0; i < (options.instances ?? 1); i++) c.world.start(withScopes(c.world.config));
  const admins = new Map<number, Admin>();
  const adminOf = (index: number) => {
    const { receiver } = c.world.instances[index] ?? {};
    if (!receiver) throw new Error("no such instance");
    const known = admins.get(index) ?? new Admin(receiver, tokens);
    admins.set(index, known);
    return known;
  };
  return {
    ...c,
    adminOf,
    async ask(name, path, body, admin = adminOf(0)) {
      const [route = "", query = ""] = path.split("?");
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const answer = await admin.answer(
        {
          method: body === undefined ? "GET" : "POST",
          path: route,
          query: new URLSearchParams(query),
          headers: new Headers(name === undefined ? {} : { authorization: `Bearer ${name}` }),
          text: async () => text ?? "",
        },
        { info: () => {}, warn: () => {}, error: () => {} },
      );
      return { ...answer, body: JSON.parse(answer.body) };
    },
  };
}

function withScopes(config: SyncConfig): SyncConfig {
  return {
    ...config,
    admin: {
      scopes: [
        { principal: PEOPLE.eve.objectId, targets: ["home"] },
        { principal: PEOPLE.frank.objectId, jobs: ["b"] },
      ],
    },
  };
}
