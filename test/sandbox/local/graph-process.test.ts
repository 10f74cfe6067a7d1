import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalCloud, startCloud } from "../../../sandbox/local/cloud.ts";
import { buildApp } from "../../../tools/build.ts";

const HOUR_MS = 3_600_000;
let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "graph-process-"));
  await buildApp("functions", join(folder, "dist"));
  cloud = await startCloud({
    folder: join(folder, "sandbox"),
    appFolder: join(folder, "dist"),
    people: 30,
    knobs: { replicationLagMs: HOUR_MS, indexLagMs: HOUR_MS, deltaLagMs: HOUR_MS },
  });
});
afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The JSON that comes back. */
async function call(url: string, headers: Readonly<Record<string, string>>, body?: string): Promise<unknown> {
  const ca = await readFile(join(folder, "sandbox", "ca.pem"));
  const method = body === undefined ? "GET" : "POST";
  const text = await new Promise<string>((resolve, reject) => {
    const sent = request(url, { agent: new Agent({ ca }), method, headers }, (response) => {
      let got = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        got += part;
      });
      response.on("end", () => resolve(got));
    });
    sent.on("error", reject).end(body);
  });
  return JSON.parse(text);
}

test("the organization is older than any lag: delta and the search index show all of it at once", async () => {
  const tenant = cloud.endpoints.tenants.find(({ name }) => name === "contoso-emea");
  if (!tenant) throw new Error("no tenant");
  const { id, secret } = tenant.client;
  const form = new URLSearchParams({ client_id: id, client_secret: secret, scope: `${tenant.graph}/.default` });
  form.set("grant_type", "client_credentials");
  const type = { "Content-Type": "application/x-www-form-urlencoded" };
  const login = `${tenant.login}/${tenant.id}/oauth2/v2.0/token`;
  const { access_token: token } = (await call(login, type, form.toString())) as { access_token: string };
  const get = async (path: string) => {
    const headers = { Authorization: `Bearer ${token}`, ConsistencyLevel: "eventual" };
    return (await call(`${tenant.graph}/v1.0${path}`, headers)) as { value: { id: string }[] };
  };
  const people = cloud.organization.people["contoso-emea"]?.length ?? 0;
  expect(people).toBeGreaterThan(0);
  expect((await get("/users?$top=999")).value.length).toBe(people);
  expect(
    (await get("/users?$top=999&$count=true&$filter=displayName ne 'x'".replaceAll(" ", "%20"))).value.length,
  ).toBe(people);
  expect((await get("/users/delta?$select=displayName")).value.length).toBeGreaterThan(0);
});
