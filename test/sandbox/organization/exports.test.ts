import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCsv } from "../../../sandbox/organization/csv.ts";
import { readExport } from "../../../sandbox/organization/exports.ts";

const HEADER =
  "userPrincipalName,displayName,surname,mail,givenName,objectId,userType,jobTitle,department,accountEnabled,usageLocation,streetAddress,state,country,physicalDeliveryOfficeName,city,postalCode,telephoneNumber,mobile,authenticationAlternativePhoneNumber,authenticationEmail,alternateEmailAddress,ageGroup,consentProvidedForMinor,legalAgeGroupClassification";
const ID = (digit: number) => `${digit}0000000-0000-4000-8000-000000000000`;
const line = (upn: string, id: string, more: { type?: string; enabled?: string; name?: string } = {}) =>
  `${upn},${more.name ?? "Somebody"},,${upn},,${id},${more.type ?? "Member"},,,${more.enabled ?? "True"},,,,,,,,,,,,,,,`;
const csv = (...lines: string[]) => Buffer.from([HEADER, ...lines].join("\r\n"));
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const names = (file: Uint8Array) => readExport(file).people.map(({ properties }) => properties.userPrincipalName);

describe("CSV", () => {
  test.each<{ name: string; text: string; values: string[][]; lines: number[] }>([
    {
      name: "plain",
      text: "a,b\nc,d\n",
      values: [
        ["a", "b"],
        ["c", "d"],
      ],
      lines: [1, 2],
    },
    {
      name: "CRLF and no last line break",
      text: "a,b\r\nc,d",
      values: [
        ["a", "b"],
        ["c", "d"],
      ],
      lines: [1, 2],
    },
    {
      name: "old line breaks",
      text: "a,b\rc,d\r",
      values: [
        ["a", "b"],
        ["c", "d"],
      ],
      lines: [1, 2],
    },
    { name: "quotes", text: 'a,"b, ""c"""\n', values: [["a", 'b, "c"']], lines: [1] },
    {
      name: "line breaks in a value",
      text: 'a,"b\r\nc\nd"\r\ne,f',
      values: [
        ["a", "b\r\nc\nd"],
        ["e", "f"],
      ],
      lines: [1, 4],
    },
    {
      name: "empty values, also the last",
      text: "a,,\n,,",
      values: [
        ["a", "", ""],
        ["", "", ""],
      ],
      lines: [1, 2],
    },
    {
      name: "empty lines",
      text: "a,b\n\n\nc,d\n\n",
      values: [
        ["a", "b"],
        ["c", "d"],
      ],
      lines: [1, 4],
    },
    { name: "byte order mark", text: "\ufeffa,b", values: [["a", "b"]], lines: [1] },
    {
      name: "semicolons",
      text: 'a;"x,y";c\n1;2,5;3',
      values: [
        ["a", "x,y", "c"],
        ["1", "2,5", "3"],
      ],
      lines: [1, 2],
    },
    {
      name: "tabs",
      text: "a\tb\n1\t2",
      values: [
        ["a", "b"],
        ["1", "2"],
      ],
      lines: [1, 2],
    },
    { name: "Excel's hint", text: "sep=;\na;b,c", values: [["a", "b,c"]], lines: [2] },
    { name: "text after a closing quote", text: '"a"b,c', values: [["ab", "c"]], lines: [1] },
    { name: "a quote within a value", text: 'a"b,c', values: [['a"b', "c"]], lines: [1] },
    { name: "nothing", text: "", values: [], lines: [] },
  ])("$name", ({ text, values, lines }) => {
    expect(parseCsv(text)).toEqual(values.map((row, index) => ({ line: lines[index], values: row })));
  });

  test("a quote that is never closed is told with its line", () => {
    expect(() => parseCsv('a,b\nc,"d\ne')).toThrow("line 2");
  });
});

describe("the portal's bulk download", () => {
  test("columns become Graph properties", () => {
    const file = csv(
      `王.小明@contoso.de,x,,,,,,,,,,,,,,,,,,,,,,,`,
      `j.muller@contoso.de,"Müller, Jürgen",Müller,jm@contoso.de,Jürgen,${ID(1)},Member,"Senior ""Architect""",R&D,TRUE,DE,"Hauptstr. 1\nHinterhaus",Bayern,Germany,M/2.14,München,80331,+49 89 1,+49 171 1,+1 555,secret@home.example,private@home.example,Adult,Granted,Adult`,
    );
    const { people, refused, domains, notes } = readExport(file);
    expect(people).toHaveLength(1);
    expect(people[0]?.properties).toEqual({
      id: ID(1),
      userPrincipalName: "j.muller@contoso.de",
      displayName: "Müller, Jürgen",
      surname: "Müller",
      givenName: "Jürgen",
      mail: "jm@contoso.de",
      userType: "Member",
      jobTitle: 'Senior "Architect"',
      department: "R&D",
      accountEnabled: true,
      usageLocation: "DE",
      streetAddress: "Hauptstr. 1\nHinterhaus",
      state: "Bayern",
      country: "Germany",
      officeLocation: "M/2.14",
      city: "München",
      postalCode: "80331",
      businessPhones: ["+49 89 1"],
      mobilePhone: "+49 171 1",
      otherMails: ["private@home.example"],
      ageGroup: "Adult",
      consentProvidedForMinor: "Granted",
    });
    expect(refused).toEqual([
      { where: "line 2", who: "王.小明@contoso.de", reason: expect.stringContaining("characters") },
    ]);
    expect(domains).toEqual(["contoso.de"]);
    expect(notes).toEqual([]);
  });

  test("with a byte order mark, semicolons, columns in another order and unknown ones", () => {
    const text = `\ufefffoo;DisplayName;USERPRINCIPALNAME;accountEnabled\r\n1;Ann;ann@x.example;false\r\n`;
    for (const file of [Buffer.from(text), Buffer.from(text, "utf16le")]) {
      expect(readExport(file).people[0]?.properties).toMatchObject({ displayName: "Ann", accountEnabled: false });
    }
  });

  test("every row that cannot be used is listed with its line and why; the others are used", () => {
    const { people, refused } = readExport(
      csv(
        line("ok1@x.example", ID(1), { name: '"Two\nlines"' }),
        line("", ID(2), { name: "No Name" }),
        line("nodomain", ID(3)),
        line("ok2@x.example", "not-a-guid"),
        line("OK1@x.example", ID(4)),
        line("ok3@x.example", ID(1)),
        line("ok4@x.example", ID(5), { enabled: "maybe" }),
        line("ok5@x.example", ID(6), { type: "Alien" }),
        "too,few,values",
        line("ok6@x.example", ID(7), { name: "x".repeat(257) }),
        line("last@x.example", "", { enabled: "fAlSe" }),
        line("Last@x.example", ""),
      ),
    );
    expect(people.map(({ properties }) => properties.userPrincipalName)).toEqual(["ok1@x.example", "last@x.example"]);
    expect(people[1]?.properties.accountEnabled).toBe(false);
    expect(refused.map(({ where, reason }) => `${where}: ${reason}`)).toEqual([
      "line 4: userPrincipalName is missing",
      "line 5: userPrincipalName has characters that Entra does not allow, or no domain",
      "line 6: the object id is no GUID",
      "line 7: the same userPrincipalName is in line 2",
      "line 8: the same object id is in line 2",
      "line 9: accountEnabled is neither True nor False",
      "line 10: userType is neither Member nor Guest",
      "line 11: has 3 values where the first line names 25 columns",
      "line 12: displayName has 257 characters, at most 256 are allowed",
      "line 14: the same userPrincipalName is in line 13",
    ]);
    expect(refused[0]?.who).toBe("No Name");
  });

  test("guests stay guests, and their domains are not the tenant's", () => {
    const { people, domains } = readExport(
      csv(
        line("a_fabrikam.com#EXT#@x.onmicrosoft.com", ID(1), { type: "Guest" }),
        line("b_fabrikam.com#EXT#@x.onmicrosoft.com", ID(2), { type: "Member" }),
        line("c@x.example", ID(3), { type: "guest" }),
        line("d@x.example", ID(4)),
      ),
    );
    expect(people.map(({ kind }) => kind)).toEqual(["guest", "guest", "guest", "employee"]);
    expect(people.map(({ properties }) => [properties.userType, properties.creationType])).toEqual([
      ["Guest", "Invitation"],
      ["Member", "Invitation"],
      ["Guest", undefined],
      ["Member", undefined],
    ]);
    expect(domains).toEqual(["x.example"]);
  });

  test("the most used domain comes first, and a name without a real one moves to it", () => {
    const { people, domains, notes } = readExport(
      csv(
        line("a@b.example", ID(1)),
        line("b@a.example", ID(2)),
        line("c@a.example", ID(3)),
        line("d@localhost", ID(4)),
      ),
    );
    expect(domains).toEqual(["a.example", "b.example"]);
    expect(people[3]?.properties.userPrincipalName).toBe("d@a.example");
    expect(notes).toEqual(["d@localhost: the domain cannot be verified, so the user becomes d@a.example"]);
  });

  test.each([
    ["not an export", "hello,world\n1,2", "userPrincipalName"],
    ["empty", "", "empty"],
    [
      "only unusable rows",
      `${HEADER}\n,x,,,,,,,,,,,,,,,,,,,,,,,`,
      "no user that can be used (line 2: userPrincipalName is missing)",
    ],
  ])("a file that is %s is refused as a whole", (_, text, message) => {
    expect(() => readExport(Buffer.from(text))).toThrow(message);
  });

  test("a file in an old encoding is refused with the remedy", () => {
    expect(() => readExport(Buffer.from("userPrincipalName,displayName\na@b.c,M\xfcller", "latin1"))).toThrow("UTF-8");
  });
});

describe("JSON of GET /users", () => {
  const ann = { id: ID(1), userPrincipalName: "ann@x.example", displayName: "Ann", businessPhones: ["1"], mail: null };
  const bob = { id: ID(2), userPrincipalName: "bob@x.example", displayName: "Bob", accountEnabled: false };

  test.each<{ name: string; file: Buffer }>([
    { name: "one answer", file: json({ "@odata.context": "…", value: [ann, bob] }) },
    { name: "a bare array", file: json([ann, bob]) },
    { name: "pages in an array", file: json([{ value: [ann], "@odata.nextLink": "…" }, { value: [bob] }]) },
    {
      name: "pages one after the other",
      file: Buffer.from(`${JSON.stringify({ value: [ann] })}\n${JSON.stringify({ value: [bob] })}`),
    },
    { name: "with a byte order mark", file: Buffer.from(`\ufeff${JSON.stringify([ann, bob])}`) },
    { name: "lines of users", file: Buffer.from(`${JSON.stringify(ann)}\n${JSON.stringify(bob)}\n`) },
  ])("$name", ({ file }) => {
    expect(names(file)).toEqual(["ann@x.example", "bob@x.example"]);
    expect(readExport(file).notes).toEqual([]);
  });

  test("properties are taken over; those that Graph left out get what is usual", () => {
    const [first, second] = readExport(json([ann, bob])).people;
    expect(first?.properties).toEqual({ ...ann, accountEnabled: true, userType: "Member" });
    expect(second?.properties).toMatchObject({ accountEnabled: false, mail: null });
  });

  test("managers come first; a circle or somebody unknown is left out with a note", () => {
    const of = (digit: number, manager?: number) => ({
      id: ID(digit),
      userPrincipalName: `u${digit}@x.example`,
      displayName: "x",
      ...(manager === undefined ? {} : { manager: { "@odata.type": "#microsoft.graph.user", id: ID(manager) } }),
    });
    const { people, notes } = readExport(json([of(1, 2), of(2, 3), of(3), of(4, 5), of(5, 4), of(6, 9)]));
    const position = new Map(people.map(({ key }, index) => [key, index]));
    for (const { key, manager } of people) {
      if (manager !== undefined) expect(position.get(manager)).toBeLessThan(position.get(key) ?? -1);
    }
    expect(people.filter(({ manager }) => manager !== undefined)).toHaveLength(3);
    expect(notes).toHaveLength(2);
  });

  test("what is no user, or has values of a wrong kind, is listed", () => {
    const { people, refused } = readExport(
      json({
        value: [
          ann,
          7,
          { "@odata.type": "#microsoft.graph.group", id: ID(3), displayName: "Group" },
          { ...bob, displayName: 5 },
          { ...bob, businessPhones: "1" },
          bob,
        ],
      }),
    );
    expect(people).toHaveLength(2);
    expect(refused.map(({ where, reason }) => `${where}: ${reason}`)).toEqual([
      "user 2: is no object",
      "user 3: is a #microsoft.graph.group, not a user",
      "user 4: displayName is no text",
      "user 5: businessPhones is no list of texts",
    ]);
  });

  test("an export that was cut off is told", () => {
    expect(readExport(json({ value: [ann], "@odata.nextLink": "https://…" })).notes[0]).toContain("not complete");
    expect(() => readExport(Buffer.from('{"value": [{"id":'))).toThrow("line 1");
    expect(() => readExport(json({ error: { code: "InvalidAuthenticationToken" } }))).toThrow(
      "InvalidAuthenticationToken",
    );
  });
});

describe("whatever the file holds", () => {
  const cell = fc.string({ unit: "binary", maxLength: 12 }).map((text) => text.replace(/^\ufeff/, ""));
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;

  test("CSV comes back as it was written, with every separator and line break", () => {
    const rows = fc
      .integer({ min: 2, max: 5 })
      .chain((width) =>
        fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 6 }),
      );
    fc.assert(
      fc.property(
        rows,
        fc.constantFrom(",", ";", "\t"),
        fc.constantFrom("\n", "\r\n", "\r"),
        (table, separator, end) => {
          const text = table.map((row) => row.map(quoted).join(separator)).join(end);
          expect(parseCsv(text).map(({ values }) => values)).toEqual(table);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("every row of an export is used or listed", () => {
    const row = fc.record({
      upn: fc.constantFrom("", "a@x.example", "b@x.example", "c@localhost", "no-domain", "g_y#EXT#@x.onmicrosoft.com"),
      name: cell,
      enabled: fc.constantFrom("True", "false", "", "perhaps"),
      type: fc.constantFrom("Member", "Guest", "", "Robot"),
    });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 12 }), (rows) => {
        const lines = rows.map(({ upn, name, enabled, type }) => [upn, name, enabled, type].map(quoted).join(","));
        const file = Buffer.from(
          ["userPrincipalName,displayName,accountEnabled,userType", "z@x.example,Z,True,Member", ...lines].join("\n"),
        );
        const { people, refused, domains } = readExport(file);
        expect(people.length + refused.length).toBe(rows.length + 1);
        expect(domains[0]).toBe("x.example");
        expect(new Set(people.map(({ key }) => key)).size).toBe(people.length);
      }),
      { numRuns: 300 },
    );
  });

  test("bytes and broken JSON end in a plain error, quickly", () => {
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.json().map((text) => Buffer.from(text.slice(0, -1))),
      fc.string({ maxLength: 50 }).map((text) => Buffer.from(`{"value":[{"userPrincipalName":"${text}`)),
    );
    fc.assert(
      fc.property(file, (bytes) => {
        try {
          expect(readExport(bytes).people.length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(Error);
          expect((error as Error).constructor).toBe(Error);
        }
      }),
      { numRuns: 500 },
    );
  });
});
