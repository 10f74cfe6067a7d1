import { describe, expect, test, vi } from "vitest";
import { Connection, type Transport } from "../../shared/adapters/graph/connection.ts";
import { Gateway } from "../../shared/adapters/graph/gateway.ts";
import { GraphSourceChanges } from "../../shared/adapters/graph/source-changes.ts";
import { GraphSourceListing } from "../../shared/adapters/graph/source-listing.ts";
import { GraphTargetListing } from "../../shared/adapters/graph/target-listing.ts";
import { systemChance, systemClock } from "../../shared/adapters/system/clock.ts";

/** A token goes to the tenant's own Graph root, once a call, and nowhere else. */
const ROOT = "https://graph.microsoft.us";
const TENANT = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";

function connect(answer: Transport) {
  const token = vi.fn(async () => "eyJ.the-token");
  const transport = vi.fn(answer);
  const settings = { tenantId: TENANT, root: ROOT, clock: systemClock, chance: systemChance, token, transport };
  const gateway = new Gateway(new Connection(settings));
  return { gateway, token, transport, get: (path: string) => gateway.alone("read", { method: "GET", path }) };
}
const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });

const FOREIGN = [
  "https://evil.example/v1.0/users",
  "http://graph.microsoft.us/v1.0/users",
  "https://graph.microsoft.us.evil.example/v1.0/users",
  "https://graph.microsoft.us@evil.example/v1.0/users",
  "https://user:pass@graph.microsoft.us/v1.0/users",
  "https://graph.microsoft.us:8443/v1.0/users",
  "https://graph.microsoft.com/v1.0/users", // another cloud
  "https://graph.microsoft.us/beta/users",
  "https://graph.microsoft.us/v1.0/../admin",
  "https://graph.microsoft.us/v1.0/%2e%2e/admin",
  "https://graph.microsoft.us\\@evil.example/v1.0/users",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "",
  "users",
];

describe("a link that leads elsewhere", () => {
  test.each(FOREIGN)("%s: refused, nothing sent, no token asked for", async (link) => {
    const { gateway, token, transport, get } = connect(async () => json({ value: [] }));
    await expect(get(link)).rejects.toMatchObject({ code: "FOREIGN_LINK" });
    await expect(gateway.read({ method: "GET", path: link }, "changes")).rejects.toMatchObject({
      code: "FOREIGN_LINK",
    });
    expect(token).not.toHaveBeenCalled();
    expect(transport).not.toHaveBeenCalled();
  });

  test.each(["@odata.nextLink", "@odata.deltaLink"])("as %s of an answer is never put on record", async (name) => {
    const { gateway } = connect(async () =>
      json({ value: [], [name]: "https://evil.example/v1.0/users?$skiptoken=1" }),
    );
    const changes = new GraphSourceChanges(gateway);
    await expect(changes.users({ kind: "all" }, [])).rejects.toMatchObject({ code: "FOREIGN_LINK" });
    await expect(changes.groups({ kind: "all" }, [TENANT])).rejects.toMatchObject({ code: "FOREIGN_LINK" });
    const listing = new GraphTargetListing(gateway, "extension_x_syncSource");
    await expect(listing.changes(undefined, [])).rejects.toMatchObject({ code: "FOREIGN_LINK" });
    if (name === "@odata.deltaLink") return;
    await expect(listing.users(undefined, [])).rejects.toMatchObject({ code: "FOREIGN_LINK" });
    await expect(new GraphSourceListing(gateway).users(undefined, [])).rejects.toMatchObject({ code: "FOREIGN_LINK" });
  });

  test("in a Location is not followed: of a redirection and of 410 alike", async () => {
    for (const status of [301, 302, 307, 308, 410]) {
      const headers = { location: "https://evil.example/v1.0/users" };
      const { gateway, transport } = connect(async () => json({ error: { code: "x" } }, status, headers));
      const answer = await new GraphSourceChanges(gateway).users({ kind: "all" }, []).catch((error: unknown) => error);
      expect(answer).toMatchObject(status === 410 ? { kind: "reset" } : { code: "TENANT_UNAVAILABLE" });
      expect(transport).toHaveBeenCalledOnce();
      expect(transport.mock.calls[0]?.[1]).toMatchObject({ redirect: "manual" });
    }
  });
});

test.each([
  [429, { "retry-after": "0" }],
  [500, {}],
  [502, {}],
  [503, { "retry-after": "0" }],
  [504, {}],
])("an answer %i is the hint's business: the client asks once", async (status, headers) => {
  const { transport, get } = connect(async () => json({ error: { code: "x" } }, status, headers));
  await expect(get("/users")).rejects.toMatchObject({ name: "SyncError" });
  expect(transport).toHaveBeenCalledOnce();
});

test("a connection that breaks is not tried again either", async () => {
  const { transport, get } = connect(async () => Promise.reject(new TypeError("fetch failed")));
  await expect(get("/users")).rejects.toMatchObject({ code: "TENANT_UNAVAILABLE" });
  expect(transport).toHaveBeenCalledOnce();
});

test("an answer of 50 MB is given up after 16", async () => {
  let sent = 0;
  const chunk = new Uint8Array(262_144).fill(32);
  const body = () =>
    new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += chunk.length;
        if (sent > 50 * 1_048_576) controller.close();
        else controller.enqueue(chunk);
      },
    });
  const { get } = connect(async () => new Response(body()));
  await expect(get("/users")).rejects.toMatchObject({ code: "TENANT_UNAVAILABLE" });
  expect(sent).toBeLessThan(17 * 1_048_576);
});
