import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { TABLES } from "../../shared/adapters/tables/index.ts";
import { run } from "./run.ts";

const folder = mkdtempSync(join(tmpdir(), "cross-cloud-sync-doctor-"));
afterAll(() => rmSync(folder, { recursive: true }));
const id = (n: number) => `${String(n).repeat(8)}-1111-4111-8111-111111111111`;
const tenant = (n: number, name: string, cloud: string, more: object = {}) => ({
  name,
  id: id(n),
  cloud,
  credential: { kind: "certificate", clientId: id(9), path: "app.pem" },
  ...more,
});
const file = (text: string) => {
  const path = join(folder, "sync.config.json");
  writeFileSync(path, text);
  return path;
};
const config = (job: object = {}) =>
  file(
    JSON.stringify({
      version: 1,
      deployment: "contoso",
      tenants: [
        tenant(1, "emea", "global", { outbound: { attributes: ["displayName", "department", "mobilePhone", "city"] } }),
        tenant(2, "gov", "usGov"),
      ],
      jobs: [
        {
          id: "emea-to-gov",
          source: "emea",
          target: "gov",
          state: "on",
          userType: "guest",
          scope: { allUsers: true, filter: [{ clauses: [{ attribute: "city", operator: "EQUALS", value: "Oslo" }] }] },
          mappings: [
            { target: "displayName", source: "displayName" },
            { target: "department", expression: 'Join(" ", [department], [mobile])' },
            { target: "companyName", constant: "Contoso" },
          ],
          ...job,
        },
        { id: "other", source: "gov", target: "emea", userType: "guest", scope: { allUsers: true } },
      ],
    }),
  );
const boundary = async (...args: string[]) => (await run("doctor", "boundary", ...args)).stdout;

describe("doctor boundary", () => {
  test("says exactly what leaves which cloud for where", async () => {
    const [jobs] = (await boundary("--config", config())).split("Kept by this app");
    expect(jobs).toBe(`emea-to-gov (on): emea, Commercial -> gov, US Government (GCC High) (another cloud)
  displayName <- displayName
  department <- department, mobilePhone
  companyName <- the same for everybody
  the address of the invitation: userPrincipalName
  that the person is a guest, and whether the account is enabled
  the stamp: deployment, source tenant id, object id of the source user
  compared by filters, written nowhere: city
  bounded by: outbound of the source (4)

`);
  });

  test("as JSON, with the lists themselves", async () => {
    const [answer] = (await run("doctor", "boundary", "--json", "--config", config({ manager: false }))).answers;
    expect(answer).toMatchObject({
      jobs: [
        {
          job: "emea-to-gov",
          from: { tenant: "emea", id: id(1), cloud: "Commercial" },
          crossCloud: true,
          filteredBy: ["city"],
          manager: false,
          boundary: null,
          outbound: ["displayName", "department", "mobilePhone", "city"],
        },
      ],
    });
  });

  test("knows every table, and the only column with an address in it", async () => {
    const [answer] = (await run("doctor", "boundary", "--json", "--config", config())).answers as [
      { tables: Record<string, Record<string, string>>; queues: Record<string, Record<string, string>> },
    ];
    expect(Object.keys(answer.tables).sort()).toEqual([...TABLES].sort());
    const kept = [...Object.entries(answer.tables), ...Object.entries(answer.queues)];
    const personal = kept.flatMap(([where, columns]) =>
      Object.entries(columns).flatMap(([name, kind]) => (kind === "address" ? [`${where}.${name}`] : [])),
    );
    expect(personal).toEqual(["links.address"]);
    const secret = kept.flatMap(([where, columns]) => (Object.values(columns).includes("secret") ? [where] : []));
    expect(secret).toEqual(["subscriptions"]);
  });

  test("a configuration that takes more than it may is refused, with every mistake", async () => {
    const mappings = [{ target: "surname", source: "surname" }];
    const ended = await run("doctor", "boundary", "--json", "--config", config({ mappings }));
    expect(ended.status).toBe(1);
    expect(ended.answers).toEqual([
      {
        error: { code: "CONFIG_INVALID", message: expect.stringContaining("does not let surname leave") },
        mistakes: [expect.objectContaining({ path: "jobs[0].mappings[0].source" })],
      },
    ]);
  });

  test("no file, and no job", async () => {
    const none = join(folder, "none.json");
    expect(await run("doctor", "boundary", "--config", none)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining(`${none} cannot be read: there is no such file. Name the configuration`),
    });
    expect(await boundary("--config", config({ state: "off" }))).toContain("No job is on: nothing leaves any tenant.");
  });
});

test("doctor permissions lists what every tenant has to grant, and nothing that no job needs", async () => {
  const path = config();
  const [answer] = JSON.parse(`[${(await run("doctor", "permissions", "--json", "--config", path)).stdout}]`);
  expect(answer).toEqual([
    { tenant: "emea", id: id(1), cloud: "Commercial", permissions: ["User.Read.All"] },
    {
      tenant: "gov",
      id: id(2),
      cloud: "US Government (GCC High)",
      permissions: [
        "User.DeleteRestore.All",
        "User.EnableDisableAccount.All",
        "User.Invite.All",
        "User.Read.All",
        "User.ReadWrite.All",
      ],
    },
  ]);
  expect((await run("doctor", "permissions", "--config", path)).stdout).toContain("emea, Commercial: User.Read.All\n");
});
