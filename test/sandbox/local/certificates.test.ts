import { mkdtemp, rm } from "node:fs/promises";
import { createServer, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type Certificates, makeCertificates } from "../../../sandbox/local/certificates.ts";

/** The status that a server with these certificates answers somebody who trusts all of the authorities. */
async function asked({ server }: Certificates, authorities: readonly string[]): Promise<number | undefined> {
  const listening = createServer(server, (_request, response) => response.writeHead(204).end()).listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  const { port } = listening.address() as AddressInfo;
  try {
    return await new Promise((resolve, reject) => {
      get({ host: "127.0.0.1", port, ca: [...authorities], agent: false }, ({ statusCode }) => resolve(statusCode)).on(
        "error",
        reject,
      );
    });
  } finally {
    listening.close();
  }
}

test("whoever trusts several sandboxes tells their authorities apart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "certificates-"));
  const clouds = await Promise.all(["a", "b", "c"].map((name) => makeCertificates(join(folder, name), [])));
  const authorities = clouds.map(({ ca }) => ca);
  for (const cloud of clouds) expect(await asked(cloud, authorities)).toBe(204);
  await rm(folder, { recursive: true, force: true });
});
