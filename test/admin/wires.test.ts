import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { post } from "../../cli/online/token.ts";
import { type LocalCloud, startCloud } from "../../sandbox/local/cloud.ts";
import { buildApp } from "../../tools/build.ts";

/** The built app in the host, tokens of the local cloud's login over HTTPS, and the command line as people use it. */
let folder: string;
let cloud: LocalCloud;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "admin-"));
  await buildApp("functions", join(folder, "dist"));
  cloud = await startCloud({
    folder: join(folder, "sandbox"),
    appFolder: join(folder, "dist"),
    people: 20,
    inMemory: true,
  });
});
afterAll(async () => {
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

const MAIN = fileURLToPath(new URL("../../cli/main.ts", import.meta.url));
function cli(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const env = { ...process.env, SANDBOX_FOLDER: cloud.folder };
  return new Promise((done) => {
    execFile(process.execPath, [MAIN, ...args], { env }, (error, out, err) =>
      done({ code: typeof error?.code === "number" ? error.code : 0, out, err }),
    );
  });
}
const as = async (name: string, ...args: string[]) => {
  const { code, out, err } = await cli(...args, "--sandbox", name, "--json");
  return {
    code,
    err,
    lines:
      out.trim() === ""
        ? []
        : out
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line)),
  };
};

test("health answers anybody, everything else a token only", async () => {
  const { admin } = cloud.endpoints.app;
  expect(await (await fetch(`${admin}/health`)).json()).toEqual({ status: "ok" });
  const refused = await fetch(`${admin}/status`, { headers: { authorization: "Bearer x.y.z" } });
  expect(refused.status).toBe(401);
  expect(refused.headers.get("content-type")).toContain("application/problem+json");
  const large = await fetch(`${admin}/commands/look`, { method: "POST", body: "x".repeat(70_000) });
  expect(large.status).toBe(413);
});

/** The same without the start of a process each. */
async function ask(name: string, path: string, body?: object) {
  const { token, people, admin } = cloud.endpoints.app;
  const person = people.find((one) => one.name === name);
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: person?.clientId ?? "",
    client_secret: person?.clientSecret ?? "",
    scope: token.scope,
  });
  const answer = await post(token.url, form.toString(), readFileSync(join(cloud.folder, "ca.pem")));
  const response = await fetch(`${admin}/${path}`, {
    headers: { authorization: `Bearer ${JSON.parse(answer).access_token}` },
    ...(body ? { method: "POST", body: JSON.stringify(body) } : {}),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test("status, and a command from its request to its approval, as three people", async () => {
  expect(await as("carol", "status")).toMatchObject({
    code: 0,
    lines: [{ deployment: "contoso", configuration: { state: "accepted" }, killSwitch: { on: false } }],
  });
  expect(await ask("carol", "commands/kill-on", { reason: "drill" })).toMatchObject({ status: 403 });
  expect((await as("alice", "kill", "on", "--reason", "drill")).lines).toMatchObject([{ on: true, audit: 1 }]);
  const asked = await ask("alice", "commands/kill-off", { reason: "over" });
  const { id } = asked.body.request as { id: string };
  expect((await ask("carol", "requests?state=open")).body.items).toMatchObject([{ id, state: "open" }]);
  expect((await ask("alice", "commands/approve", { id })).body).toMatchObject({ code: "ROLE_MISSING" });
  expect((await as("bob", "approve", id)).lines).toMatchObject([{ request: { state: "approved" }, audit: 3 }]);
  expect((await ask("carol", "status")).body).toMatchObject({ killSwitch: { on: false } });
  expect((await ask("carol", "audit/verify")).body).toMatchObject({ kind: "sound", rows: 3 });
});

test("nothing that is told or shown has a token in it", async () => {
  const secret = cloud.endpoints.app.people[0]?.clientSecret ?? "";
  const shown = await Promise.all([
    cli("status", "--sandbox", "alice"),
    cli("log", "--sandbox", "alice", "--limit", "1"),
    cli("log", "--sandbox", "alice", "--day", "nonsense"),
    cli("status", "--sandbox", "zoe"),
    cli("status", "--app", cloud.endpoints.app.url, "--token", "eyJhbGciOiJub25lIn0.e30."),
  ]);
  expect(shown.map(({ code }) => code)).toEqual([0, 0, 1, 2, 1]);
  expect(shown[1]?.out).toMatch(/^(Nothing\.|source +target )/);
  expect(shown.at(-1)?.err).toContain("UNAUTHENTICATED");
  for (const { out, err } of shown) {
    expect(out + err).not.toContain(secret);
    expect(out + err).not.toContain("eyJ");
  }
});
