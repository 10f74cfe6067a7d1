import "reflect-metadata";
import { randomUUID, webcrypto } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as x509 from "@peculiar/x509";

/**
 * The local cloud's own authority, the certificate of its HTTPS addresses (127.0.0.1, localhost) and one certificate per
 * app registration. Made anew at every start; nothing outside the folder trusts them.
 */
export interface Certificates {
  /** For `NODE_EXTRA_CA_CERTS`. */
  caFile: string;
  ca: string;
  server: { cert: string; key: string };
  /** By tenant name: the certificate (PEM) that the registration trusts, and the file with certificate and key. */
  apps: Readonly<Record<string, { certificate: string; file: string }>>;
}

const EC = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** Client assertions are signed with PS256, which needs RSA. */
const RSA = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
  publicExponent: new Uint8Array([1, 0, 1]),
  modulusLength: 2048,
};
const DAYS = 30;
const DAY_MS = 24 * 3_600_000;

type KeyPair = Awaited<ReturnType<typeof keysOf>>;

export async function makeCertificates(folder: string, tenants: readonly string[]): Promise<Certificates> {
  x509.cryptoProvider.set(webcrypto);
  await mkdir(join(folder, "certificates"), { recursive: true, mode: 0o700 });
  const now = Date.now();
  const validity = { notBefore: new Date(now - DAY_MS), notAfter: new Date(now + DAYS * DAY_MS) };

  const caKeys = await keysOf(EC);
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    // A name of its own: whoever trusts several sandboxes tells their authorities apart by it.
    name: `CN=cross-cloud-sync sandbox ${randomUUID()}`,
    keys: caKeys,
    signingAlgorithm: EC,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const serverKeys = await keysOf(EC);
  const server = await x509.X509CertificateGenerator.create({
    ...validity,
    subject: "CN=127.0.0.1",
    issuer: authority.subject,
    publicKey: serverKeys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: EC,
    extensions: [
      new x509.SubjectAlternativeNameExtension([
        { type: "ip", value: "127.0.0.1" },
        { type: "dns", value: "localhost" },
      ]),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
  });

  const caFile = join(folder, "ca.pem");
  const ca = `${authority.toString("pem")}\n`;
  await writeFile(caFile, ca);
  const apps: Record<string, { certificate: string; file: string }> = {};
  for (const tenant of tenants) {
    const keys = await keysOf(RSA);
    const own = await x509.X509CertificateGenerator.createSelfSigned({
      ...validity,
      name: `CN=cross-cloud-sync in ${tenant}`,
      keys,
      signingAlgorithm: RSA,
    });
    const certificate = `${own.toString("pem")}\n`;
    const file = join(folder, "certificates", `${tenant}.pem`);
    await writeFile(file, certificate + (await keyText(keys)), { mode: 0o600 });
    apps[tenant] = { certificate, file };
  }
  return { caFile, ca, server: { cert: `${server.toString("pem")}\n${ca}`, key: await keyText(serverKeys) }, apps };
}

const keysOf = (algorithm: typeof EC | typeof RSA) => webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);

async function keyText({ privateKey }: KeyPair): Promise<string> {
  const base64 = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", privateKey)).toString("base64");
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}/g, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`;
}
