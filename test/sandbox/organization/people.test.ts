import { describe, expect, test } from "vitest";
import { CULTURES, type CultureName, spellings } from "../../../sandbox/organization/names.ts";
import { guests, staff, things } from "../../../sandbox/organization/people.ts";
import { random } from "../../../sandbox/random.ts";

const options = (seed: number, count: number) => ({
  random: random(seed),
  domain: "contoso.com",
  initialDomain: "contoso.onmicrosoft.com",
  company: "Contoso Ltd",
  prefix: "c",
  cultures: Object.keys(CULTURES) as CultureName[],
  count,
});
const UPN = /^[A-Za-z0-9'._!#^~-]+@contoso\.com$/;

describe("people", () => {
  test("one seed gives the same people, another gives others", () => {
    expect(staff(options(7, 80))).toEqual(staff(options(7, 80)));
    expect(staff(options(8, 80))).not.toEqual(staff(options(7, 80)));
  });

  test("userPrincipalNames are valid and unique, as are mail addresses and employee numbers", () => {
    const everybody = staff(options(1, 3_000));
    for (const name of ["userPrincipalName", "mail", "employeeId"]) {
      const values = everybody.map(({ properties }) => String(properties[name]).toLowerCase());
      expect(new Set(values).size).toBe(values.length);
    }
    for (const { properties } of everybody) {
      expect(properties.userPrincipalName).toMatch(UPN);
      expect(properties.mail).toMatch(/^[a-z0-9][a-z0-9.-]*[a-z0-9]@contoso\.com$/);
    }
  });

  test("every name has a spelling of plain letters", () => {
    for (const { given, surnames } of Object.values(CULTURES)) {
      for (const name of [...given, ...surnames]) expect(spellings(name).ascii, name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    }
  });

  test("values keep Graph's limits", () => {
    const limits = {
      displayName: 256,
      givenName: 64,
      surname: 64,
      jobTitle: 128,
      department: 64,
      companyName: 64,
      employeeId: 16,
    };
    for (const { properties } of staff(options(2, 500))) {
      for (const [name, max] of Object.entries(limits)) {
        expect(String(properties[name]).length, name).toBeLessThanOrEqual(max);
      }
    }
  });

  test("managers come first, form one tree, and have no more reports than departments or a team", () => {
    const everybody = staff(options(3, 400));
    const seen = new Set<string>();
    const reports = new Map<string, number>();
    for (const { key, manager } of everybody) {
      if (manager !== undefined) {
        expect(seen.has(manager)).toBe(true);
        reports.set(manager, (reports.get(manager) ?? 0) + 1);
      }
      seen.add(key);
    }
    expect(everybody.filter(({ manager }) => manager === undefined)).toHaveLength(1);
    expect(Math.max(...reports.values())).toBeLessThanOrEqual(7);
  });

  test("all that makes a real directory hard is among them", () => {
    const everybody = staff(options(4, 600));
    const has = (test: (properties: Readonly<Record<string, unknown>>) => boolean) =>
      everybody.some(({ properties }) => test(properties));
    expect(has(({ accountEnabled }) => accountEnabled === false)).toBe(true);
    expect(has(({ employeeType }) => employeeType === "Contractor")).toBe(true);
    expect(has(({ userPrincipalName, mail }) => userPrincipalName !== mail)).toBe(true);
    expect(has(({ userPrincipalName }) => String(userPrincipalName).includes("'"))).toBe(true);
    for (const script of ["Han", "Cyrillic", "Arabic", "Hebrew", "Greek", "Hangul", "Devanagari"]) {
      expect(
        has(({ displayName }) => new RegExp(`\\p{Script=${script}}`, "u").test(String(displayName))),
        script,
      ).toBe(true);
    }
  });

  test("guests are external, rooms and programs have no mail", () => {
    const invited = guests(options(5, 0), 30);
    for (const { properties } of invited) {
      expect(properties.userPrincipalName).toMatch(/#EXT#@contoso\.onmicrosoft\.com$/);
      expect(properties.creationType).toBe("Invitation");
    }
    expect(new Set(invited.map(({ properties }) => properties.userPrincipalName)).size).toBe(30);
    for (const { properties } of things(options(6, 0))) expect(properties.mail).toBeNull();
  });
});
