import { describe, expect, test } from "vitest";
import { type Evidence, judgeGuest } from "../../shared/domain/adoption.ts";
import type { ErrorCode } from "../../shared/domain/error.ts";
import type { Adoption, AdoptionProof } from "../../shared/domain/job.ts";
import { type Candidate, canBeMatched, matchingMappings, matchNewcomer } from "../../shared/domain/matching.ts";
import type { TargetUser } from "../../shared/domain/user.ts";
import { adasGuest, SELF, SOURCE_ID } from "./people.ts";

const ADDRESS = "ada@emea.example";
const REDEEMED_AT = 5_000_000_000;

/** Redeemed with an account of Entra ID, tied to nobody. */
const redeemed = (changes: Partial<TargetUser> = {}): TargetUser =>
  adasGuest({
    stamp: null,
    externalUserState: "Accepted",
    identity: { federatedIssuers: ["ExternalAzureAD"], redeemedAt: REDEEMED_AT },
    ...changes,
  });

const boundTo = (...federatedIssuers: string[]) => ({ identity: { federatedIssuers, redeemedAt: REDEEMED_AT } });

const complete: Evidence = {
  verifiedDomains: { kind: "read", value: new Set(["emea.example"]) },
  addressIsShared: false,
  sourceCreatedAt: REDEEMED_AT - 1,
  privilege: { kind: "read", value: "none" },
  signIns: { kind: "read", value: [{ homeTenantId: SOURCE_ID, at: REDEEMED_AT + 1 }] },
};

const rule = (adopt: Adoption = "redeemed", adoptBy: AdoptionProof = "signIn") => ({
  adopt,
  adoptBy,
  sourceTenantId: SOURCE_ID,
});
const judge = (user: TargetUser, job = rule(), evidence: Evidence | undefined = complete) =>
  judgeGuest({ user, address: ADDRESS, foundBy: undefined }, job, evidence);

describe("guests of a kind under each rule", () => {
  const pending = adasGuest({ stamp: null, identity: { federatedIssuers: [], redeemedAt: 1 } });
  const kinds: Record<string, TargetUser> = {
    pending,
    "pending, blocked": { ...pending, accountEnabled: false },
    "pending, of another address": {
      ...pending,
      mail: "other@emea.example",
      userPrincipalName: "other_emea.example#EXT#@hub.onmicrosoft.com",
    },
    redeemed: redeemed(),
    "redeemed, blocked": redeemed({ accountEnabled: false }),
    "one-time passcode": redeemed(boundTo("mail")),
    "Microsoft account": redeemed(boundTo("MicrosoftAccount")),
    Google: redeemed(boundTo("google.com")),
    SAML: redeemed(boundTo("adfs.fabrikam.example")),
    "Entra ID and a passcode": redeemed(boundTo("ExternalAzureAD", "mail")),
    "Entra ID twice": redeemed(boundTo("ExternalAzureAD", "ExternalAzureAD")),
    "no identity": redeemed(boundTo()),
    "identities not given": adasGuest({ stamp: null, externalUserState: "Accepted" }),
  };
  const N = "GUEST_NOT_ADOPTED";
  const E = "GUEST_BOUND_ELSEWHERE";
  const P = "GUEST_NOT_PROVEN";
  const table: Record<string, [none: string, pending: string, redeemed: string]> = {
    pending: [N, "pending", "pending"],
    "pending, blocked": [N, N, N],
    "pending, of another address": [N, N, N],
    redeemed: [N, N, "signIn"],
    "redeemed, blocked": [N, N, N],
    "one-time passcode": [E, E, E],
    "Microsoft account": [E, E, E],
    Google: [E, E, E],
    SAML: [E, E, E],
    "Entra ID and a passcode": [E, E, E],
    "Entra ID twice": [N, N, P],
    "no identity": [N, N, P],
    "identities not given": [N, N, P],
  };
  const rows = Object.entries(table).flatMap(([kind, verdicts]) =>
    (["none", "pending", "redeemed"] as const).map((adopt, index) => [kind, adopt, verdicts[index]] as const),
  );
  test.each(rows)("%s, adopt %s: %s", (kind, adopt, expected) => {
    const verdict = judge(kinds[kind] as TargetUser, rule(adopt));
    expect(verdict.kind === "adoptable" ? verdict.ground : verdict.kind === "held" && verdict.code).toBe(expected);
  });
});

describe("every piece of evidence alone holds the person", () => {
  const unreadable = { kind: "unreadable", tenant: "target", needs: "X.Read.All" } as const;
  const seen = (...signIns: { homeTenantId: string | undefined; at: number }[]) =>
    ({ kind: "read", value: signIns }) as const;
  const after = REDEEMED_AT + 1;
  const rows: { name: string; missing: Partial<Evidence>; user?: TargetUser; code: ErrorCode; detail?: RegExp }[] = [
    {
      name: "the domain is not verified in the source today",
      missing: { verifiedDomains: { kind: "read", value: new Set(["other.example"]) } },
      code: "GUEST_NOT_PROVEN",
      detail: /domain/,
    },
    {
      name: "the domains cannot be read",
      missing: { verifiedDomains: { kind: "unreadable", tenant: "source", needs: "Organization.Read.All" } },
      code: "EVIDENCE_UNREADABLE",
      detail: /^Organization\.Read\.All in the source$/,
    },
    { name: "another user has the address", missing: { addressIsShared: true }, code: "DUPLICATE_SOURCE" },
    {
      name: "a directory role",
      missing: { privilege: { kind: "read", value: "directoryRole" } },
      code: "GUEST_IS_PRIVILEGED",
    },
    {
      name: "a role-assignable group",
      missing: { privilege: { kind: "read", value: "roleAssignableGroup" } },
      code: "GUEST_IS_PRIVILEGED",
    },
    { name: "roles cannot be read", missing: { privilege: unreadable }, code: "EVIDENCE_UNREADABLE" },
    {
      name: "the person is younger than the redemption",
      missing: { sourceCreatedAt: REDEEMED_AT + 121_000 },
      code: "ADDRESS_REUSED",
    },
    { name: "nobody knows how old the person is", missing: { sourceCreatedAt: undefined }, code: "GUEST_NOT_PROVEN" },
    {
      name: "nobody knows when the guest was redeemed",
      missing: {},
      user: redeemed({ identity: { federatedIssuers: ["ExternalAzureAD"], redeemedAt: undefined } }),
      code: "GUEST_NOT_PROVEN",
    },
    { name: "no sign-in", missing: { signIns: seen() }, code: "GUEST_NOT_PROVEN", detail: /sign-in/ },
    { name: "sign-ins were not asked for", missing: { signIns: undefined }, code: "GUEST_NOT_PROVEN" },
    { name: "sign-ins cannot be read", missing: { signIns: unreadable }, code: "EVIDENCE_UNREADABLE" },
    {
      name: "a sign-in without a home tenant",
      missing: { signIns: seen({ homeTenantId: undefined, at: after }) },
      code: "GUEST_NOT_PROVEN",
    },
    {
      name: "a sign-in before the redemption",
      missing: { signIns: seen({ homeTenantId: SOURCE_ID, at: REDEEMED_AT - 121_000 }) },
      code: "GUEST_NOT_PROVEN",
    },
    {
      name: "a sign-in from elsewhere",
      missing: { signIns: seen({ homeTenantId: "elsewhere", at: after }) },
      code: "GUEST_BOUND_ELSEWHERE",
    },
    {
      name: "sign-ins from here and from elsewhere",
      missing: { signIns: seen({ homeTenantId: SOURCE_ID, at: after }, { homeTenantId: "elsewhere", at: after }) },
      code: "GUEST_BOUND_ELSEWHERE",
    },
  ];
  test.each(rows)("$name: $code", ({ missing, user, code, detail }) => {
    const verdict = judge(user ?? redeemed(), rule(), { ...complete, ...missing });
    expect(verdict).toMatchObject({ kind: "held", code, ...(detail ? { detail: expect.stringMatching(detail) } : {}) });
  });

  test("resetRedemption takes the place of the sign-in, and of nothing else", () => {
    const without = { ...complete, signIns: undefined };
    const reset = rule("redeemed", "resetRedemption");
    expect(judge(redeemed(), reset, without)).toEqual({ kind: "adoptable", ground: "resetRedemption" });
    for (const { missing, user, code, name } of rows.filter((row) => !("signIns" in row.missing))) {
      const verdict = judge(user ?? redeemed(), reset, { ...without, ...missing });
      expect(verdict, name).toMatchObject({ kind: "held", code });
    }
    const elsewhere = redeemed({ mail: "x@emea.example", otherMails: [] });
    expect(judge(elsewhere, reset, without)).toMatchObject({ code: "GUEST_NOT_PROVEN" });
    expect(judge(redeemed({ otherMails: [ADDRESS], mail: null }), reset, without)).toMatchObject({ kind: "adoptable" });
  });

  test("nothing is read for a guest about whom something else decides", () => {
    expect(judgeGuest({ user: redeemed(), address: ADDRESS, foundBy: undefined }, rule(), undefined)).toEqual({
      kind: "wantsEvidence",
    });
    for (const user of [redeemed(boundTo("mail")), redeemed({ accountEnabled: false }), redeemed(boundTo())]) {
      expect(judgeGuest({ user, address: ADDRESS, foundBy: undefined }, rule(), undefined).kind).toBe("held");
    }
  });

  test("a guest found by an attribute is asked about its own address", () => {
    const user = redeemed({ mail: "old@retired.example", otherMails: [] });
    const suspect = { user, address: ADDRESS, foundBy: "employeeId" };
    expect(judgeGuest(suspect, rule(), complete)).toMatchObject({ code: "GUEST_NOT_PROVEN" });
    const owned = { ...complete, verifiedDomains: { kind: "read", value: new Set(["retired.example"]) } } as const;
    expect(judgeGuest(suspect, rule(), owned)).toEqual({ kind: "adoptable", ground: "signIn" });
  });
});

describe("candidates", () => {
  const self = { ...SELF, address: ADDRESS };
  const other = `${SOURCE_ID}/bbbb`;
  const of = (user: TargetUser, more: Partial<Candidate> = {}): Candidate => ({ user, owner: undefined, ...more });
  const bare = (changes: Partial<TargetUser> = {}) => adasGuest({ stamp: null, ...changes });
  const internal = bare({ creationType: null, userPrincipalName: "ada@hub.example", externalUserState: null });
  const table: { name: string; candidates: Candidate[]; adopt?: Adoption; match: object }[] = [
    { name: "nobody", candidates: [], match: { kind: "none" } },
    { name: "our stamp", candidates: [of(adasGuest())], adopt: "none", match: { kind: "own" } },
    { name: "our row", candidates: [of(bare(), { owner: self.link })], adopt: "none", match: { kind: "own" } },
    {
      name: "our stamp wins over others of the address",
      candidates: [of(bare({ id: "x" })), of(adasGuest())],
      match: { kind: "own", user: { id: "t1" } },
    },
    {
      name: "our stamp on somebody who became internal",
      candidates: [of({ ...internal, stamp: SELF.stamp })],
      match: { kind: "held", code: "TARGET_NOT_EXTERNAL" },
    },
    { name: "internal", candidates: [of(internal)], match: { kind: "held", code: "INTERNAL_USER_HAS_ADDRESS" } },
    { name: "internal, deleted", candidates: [of({ ...internal, softDeleted: true })], match: { kind: "none" } },
    {
      name: "a pending guest",
      candidates: [of(bare())],
      match: { kind: "adoptable", ground: "pending", user: { id: "t1" } },
    },
    { name: "two", candidates: [of(bare()), of(bare({ id: "t2" }))], match: { kind: "held", code: "AMBIGUOUS_MATCH" } },
    {
      name: "somebody's deleted guest that nothing ties",
      candidates: [of(bare({ softDeleted: true }))],
      match: { kind: "none" },
    },
    {
      name: "another person's",
      candidates: [of(bare(), { owner: other })],
      match: { kind: "held", code: "ADDRESS_REUSED" },
    },
    {
      name: "another person's who has the address too",
      candidates: [of(bare(), { owner: other, tie: "claimsAddress" })],
      match: { kind: "held", code: "DUPLICATE_SOURCE" },
    },
    {
      name: "another person's, given up for somebody new",
      candidates: [of(bare({ softDeleted: true }), { owner: other, tie: "released" })],
      match: { kind: "none" },
    },
    {
      name: "another person's, given up and restored by somebody",
      candidates: [of(bare(), { owner: other, tie: "released" })],
      match: { kind: "held", code: "ADDRESS_REUSED" },
    },
    {
      name: "of another source",
      candidates: [of(bare(), { owner: "cccc/dddd" })],
      match: { kind: "held", code: "TARGET_TAKEN" },
    },
    {
      name: "another deployment's stamp",
      candidates: [of(adasGuest({ stamp: `else/${other}` }))],
      match: { kind: "held", code: "ADDRESS_REUSED" },
    },
    {
      name: "redeemed, evidence not read",
      candidates: [of(redeemed())],
      adopt: "redeemed",
      match: { kind: "wantsEvidence", suspect: { address: ADDRESS } },
    },
    {
      name: "two redeemed",
      candidates: [of(redeemed()), of(redeemed({ id: "t2" }))],
      adopt: "redeemed",
      match: { kind: "held", code: "AMBIGUOUS_MATCH" },
    },
  ];
  test.each(table)("$name", ({ candidates, adopt = "pending", match }) => {
    expect(matchNewcomer(candidates, self, rule(adopt))).toMatchObject(match);
  });

  test("a guest that was taken and not yet bound anew is still somebody's", () => {
    const taken = [of(redeemed(), { owner: self.link })];
    const reset = rule("redeemed", "resetRedemption");
    expect(matchNewcomer(taken, self, reset)).toMatchObject({ kind: "wantsEvidence" });
    expect(matchNewcomer(taken, self, reset, { ...complete, signIns: undefined })).toMatchObject({
      kind: "adoptable",
      ground: "resetRedemption",
    });
    expect(matchNewcomer([of(bare(), { owner: self.link })], self, reset)).toMatchObject({ kind: "own" });
  });

  test("attributes are asked in their order, and only those that can be searched by", () => {
    const mappings = [
      { target: "displayName", source: "displayName" },
      { target: "department", source: "department", matchingPriority: 2 },
      { target: "employeeId", source: "employeeId", matchingPriority: 1 },
      { target: "city", source: "city", matchingPriority: 0 },
    ];
    expect(matchingMappings(mappings).map(({ target }) => target)).toEqual(["employeeId", "department"]);
    const can = ["employeeId", "onPremisesExtensionAttributes.extensionAttribute15", `extension_${"a".repeat(32)}_id`];
    const cannot = [
      "showInAddressList",
      "onPremisesExtensionAttributes.extensionAttribute16",
      "otherMails",
      "sponsors",
    ];
    expect(can.filter(canBeMatched)).toEqual(can);
    expect(cannot.filter(canBeMatched)).toEqual([]);
  });
});
