import "reflect-metadata";
import { webcrypto } from "node:crypto";
import { createServer, type Server } from "node:http";
import { request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import * as x509 from "@peculiar/x509";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type Front, startFront } from "../../../sandbox/local/front.ts";

let tls: { cert: string; key: string };
let front: Front;
let up: string[] = [];
const servers: Server[] = [];

/** An instance that says who it is and what it was asked. */
async function instance(name: string): Promise<{ url: string; stop: () => void }> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      if (request.url === "/dies") return request.socket.destroy();
      response.writeHead(request.url === "/empty" ? 204 : 200, { "x-instance": name, "set-cookie": ["a=1", "b=2"] });
      response.end(
        request.method === "HEAD" || request.url === "/empty"
          ? undefined
          : JSON.stringify({ headers: request.headers, bytes: Buffer.concat(chunks).length, url: request.url }),
      );
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

beforeAll(async () => {
  x509.cryptoProvider.set(webcrypto);
  const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=127.0.0.1",
    keys,
    signingAlgorithm: algorithm,
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey)).toString("base64");
  tls = { cert: certificate.toString("pem"), key: `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----` };
  front = await startFront({ instances: () => up, tls });
});
afterAll(async () => {
  await front.close();
});
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

const who = async (path = "/") => (await fetch(`${front.url}${path}`)).headers.get("x-instance");

test("requests go round, and past an instance that takes none", async () => {
  const [a, b] = [await instance("a"), await instance("b")];
  up = [a.url, b.url];
  const seen = [await who(), await who(), await who(), await who()];
  expect([...seen].sort()).toEqual(["a", "a", "b", "b"]);
  b.stop();
  expect([await who(), await who(), await who()]).toEqual(["a", "a", "a"]);
});

test("method, body, headers and cookies pass, over HTTP and HTTPS", async () => {
  up = [(await instance("a")).url];
  const body = Buffer.alloc(3_000_000, 1);
  const answer = await fetch(`${front.url}/x?y=1`, { method: "POST", body, headers: { "x-own": "1" } });
  expect(answer.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
  expect(await answer.json()).toMatchObject({
    bytes: 3_000_000,
    url: "/x?y=1",
    headers: { "x-own": "1", "x-forwarded-proto": "http", "x-forwarded-host": front.url.slice(7) },
  });
  expect((await fetch(`${front.url}/empty`)).status).toBe(204);
  expect((await fetch(`${front.url}/`, { method: "HEAD" })).status).toBe(200);
  const secure = await new Promise<string>((resolve, reject) => {
    httpsRequest(`${front.publicUrl}/s`, { ca: tls.cert, checkServerIdentity: () => undefined }, (response) => {
      let text = "";
      response.on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });
  expect(JSON.parse(secure)).toMatchObject({ headers: { "x-forwarded-proto": "https" } });
});

test("an instance that comes back within three seconds is waited for; nobody at all is 502", async () => {
  up = [];
  const waiting = who();
  up = [(await instance("late")).url];
  expect(await waiting).toBe("late");
  up = ["http://127.0.0.1:1"];
  expect((await fetch(`${front.url}/`)).status).toBe(502);
});

test("an instance that dies in the middle is 502 and nobody else is asked: it may have acted", async () => {
  const [a, b] = [await instance("a"), await instance("b")];
  up = [a.url, b.url];
  expect((await fetch(`${front.url}/dies`, { method: "POST", body: "x" })).status).toBe(502);
});
