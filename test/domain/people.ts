import type { Job, Pair, Tenant } from "../../shared/domain/job.ts";
import type { Limits } from "../../shared/domain/limits.ts";
import {
  compileMappings,
  defaultMappings,
  type Mapper,
  type MappingMoment,
  type MappingSurroundings,
} from "../../shared/domain/mapping/map.ts";
import type { AttributeMapping } from "../../shared/domain/mapping/mapping.ts";
import type { SourceUser, TargetUser } from "../../shared/domain/user.ts";

/** Ada and everything around her, for decision tables. */
export const SOURCE_ID = "11111111-1111-4111-8111-111111111111";
export const TARGET_ID = "22222222-2222-4222-8222-222222222222";
export const ADA_ID = "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa";
export const GROUP_ID = "99999999-9999-4999-8999-999999999999";
export const SELF = { link: `${SOURCE_ID}/${ADA_ID}`, stamp: `contoso/${SOURCE_ID}/${ADA_ID}` };

const tenant = (id: string, name: string): Tenant => ({
  id,
  name,
  cloud: "global",
  stampAttribute: `extension_${"0".repeat(32)}_syncSource`,
  redirectUrl: "https://myapps.microsoft.com/",
  extensions: [],
});

export const clouds = { crossCloud: false, manager: true, unlisted: false };

export const MOMENT: MappingMoment = { now: 0, randomBytes: (count) => new Uint8Array(count) };

export function mapper(mappings: readonly AttributeMapping[], surroundings: MappingSurroundings = {}): Mapper {
  const compiled = compileMappings(mappings, surroundings);
  if (!compiled.ok) throw new Error(compiled.mistakes.map(({ problem }) => problem).join(" "));
  return compiled.mapper;
}

export const EVERYBODY: Job["scope"] = { allUsers: true, groups: [], users: [], filter: undefined };
export const LIMITS: Limits = {
  removals: { immediatePerHour: 5, perHour: 20, perDay: 100, percent: 10, minimumSource: 1 },
  creations: { perHour: 500, perDay: 2_000 },
  settlingMs: 300_000,
  approvalMs: 86_400_000,
  whileHeld: "nothing",
  firstCycle: undefined,
};
const defaultMapper = mapper(defaultMappings(clouds));

export function job(changes: Partial<Job> = {}): Job {
  return {
    id: "emea",
    sourceTenantId: SOURCE_ID,
    targetTenantId: TARGET_ID,
    state: "on",
    scope: EVERYBODY,
    userType: "member",
    changeUserType: false,
    mapper: defaultMapper,
    manager: true,
    sponsors: [],
    actions: { create: true, update: true, delete: true },
    onOutOfScope: "softDelete",
    onDisabledThenUnassigned: "keep",
    adopt: "pending",
    adoptBy: "signIn",
    limits: LIMITS,
    ...changes,
  };
}

export function pair(jobs: readonly Job[] = [job()], changes: Partial<Pair> = {}): Pair {
  return {
    source: tenant(SOURCE_ID, "emea"),
    target: tenant(TARGET_ID, "hub"),
    clouds,
    jobs,
    rulesHash: "r1",
    ...changes,
  };
}

export function ada(changes: Partial<SourceUser> = {}): SourceUser {
  return {
    id: ADA_ID,
    userPrincipalName: "ada@emea.example",
    mail: "ada@emea.example",
    userType: "Member",
    creationType: null,
    accountEnabled: true,
    managerId: undefined,
    attributes: { displayName: "Ada Lovelace", department: "Engines" },
    ...changes,
  };
}

/** Ada's guest, exactly as the default job wishes it. */
export function adasGuest(changes: Partial<TargetUser> = {}): TargetUser {
  return {
    id: "t1",
    userPrincipalName: "ada_emea.example#EXT#@hub.onmicrosoft.com",
    mail: "ada@emea.example",
    otherMails: ["ada@emea.example"],
    userType: "Member",
    creationType: "Invitation",
    externalUserState: "PendingAcceptance",
    accountEnabled: true,
    createdAt: 1_000_000,
    managerId: undefined,
    stamp: SELF.stamp,
    attributes: { displayName: "Ada Lovelace", department: "Engines", mail: "ada@emea.example" },
    softDeleted: false,
    ...changes,
  };
}
