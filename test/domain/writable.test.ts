import { describe, expect, test } from "vitest";
import type { TargetUser } from "../../shared/domain/user.ts";
import { Writable } from "../../shared/domain/writable.ts";

const TENANT = "11111111-1111-4111-8111-111111111111";
const ID = "22222222-2222-4222-8222-222222222222";
const STAMP = `contoso/${TENANT}/33333333-3333-4333-8333-333333333333`;

const guest: TargetUser = {
  id: ID,
  userPrincipalName: "ada_contoso.com#EXT#@hub.onmicrosoft.com",
  mail: "ada@contoso.com",
  otherMails: [],
  userType: "Guest",
  creationType: "Invitation",
  externalUserState: "Accepted",
  accountEnabled: true,
  createdAt: 0,
  managerId: undefined,
  stamp: STAMP,
  attributes: {},
  softDeleted: false,
};
const proof = (changes: Partial<TargetUser>) => () => Writable.read(TENANT, { ...guest, ...changes }, [STAMP]);
const internal = { userPrincipalName: "ada@hub.com", creationType: null };

describe("nobody writes to", () => {
  test.each<[string, Partial<TargetUser>, string]>([
    ["an employee of the target", internal, "TARGET_NOT_EXTERNAL"],
    ["an employee of the target who is made a guest", { ...internal, userType: "Guest" }, "TARGET_NOT_EXTERNAL"],
    ["an employee of the target with our stamp", { ...internal, stamp: STAMP }, "TARGET_NOT_EXTERNAL"],
    ["somebody else's guest", { stamp: `${STAMP}4` }, "TARGET_TAKEN"],
    ["a guest of another deployment", { stamp: STAMP.replace("contoso", "fabrikam") }, "TARGET_TAKEN"],
    ["an id that is a path", { id: "../groups/22222222-2222-4222-8222-222222222222" }, "TARGET_NOT_EXTERNAL"],
    ["an id with a query", { id: `${ID}?$select=id` }, "TARGET_NOT_EXTERNAL"],
    ["no id", { id: "" }, "TARGET_NOT_EXTERNAL"],
  ])("%s", (_, changes, code) => expect(proof(changes)).toThrow(expect.objectContaining({ code })));

  test("a user of another tenant than the one that was read", () => {
    expect(() => proof({})().in(ID)).toThrow(expect.objectContaining({ code: "TARGET_TAKEN" }));
  });
});

test("our own guest may be written, and one that nobody has stamped", () => {
  expect(proof({})().in(TENANT)).toBe(ID);
  expect(proof({ stamp: null })().in(TENANT)).toBe(ID);
  expect(Writable.invited(TENANT, { targetId: ID }).in(TENANT)).toBe(ID);
});
