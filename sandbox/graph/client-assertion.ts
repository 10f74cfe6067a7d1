/** Checks a client assertion: a JWT that an app has signed with its certificate. Source: Entra `certificate-credentials.md`. */
import { constants, createHash, verify, X509Certificate } from "node:crypto";

/** An answer of the token endpoint; `number` is the AADSTS code. */
export class OAuthError extends Error {
  readonly status: number;
  readonly error: string;
  readonly number: number;
  constructor(status: number, error: string, number: number, message: string) {
    super(message);
    this.status = status;
    this.error = error;
    this.number = number;
  }
}

export interface Assertion {
  clientId: string;
  audience: string;
  alsoAudience: readonly string[];
  /** PEM of one or more certificates. */
  certificate: string | undefined;
  /** ms since 1970. */
  now: number;
}

const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/** Clocks may differ by this. */
const SKEW_MS = 300_000;
const CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const refuse = (number: number, message: string) => new OAuthError(401, "invalid_client", number, message);

/** Throws an OAuthError when the assertion does not prove what is expected. */
export function checkAssertion(assertion: string, type: string | null, expected: Assertion): void {
  if (type !== TYPE) throw refuse(50027, `JWT token is invalid or malformed: client_assertion_type must be '${TYPE}'.`);
  const [header, payload, signature] = assertion.split(".");
  if (!header || !payload || !signature) throw refuse(50027, "JWT token is invalid or malformed.");
  const head = parse(header);
  const claims = parse(payload);

  const certificate = certificateOf(head, expected);
  const signed = Buffer.from(`${header}.${payload}`);
  const key = certificate.publicKey;
  const options =
    head.alg === "PS256"
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key, padding: constants.RSA_PKCS1_PADDING };
  if (!verify("sha256", signed, options, Buffer.from(signature, "base64url"))) {
    throw refuse(
      700027,
      "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was found, but the signature could not be verified.]",
    );
  }

  if (claims.iss !== expected.clientId || claims.sub !== expected.clientId) {
    throw refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
  }
  if (claims.aud !== expected.audience && !expected.alsoAudience.includes(String(claims.aud))) {
    throw refuse(
      700023,
      `Client assertion audience claim does not match Realm issuer. Expected '${expected.audience}'.`,
    );
  }
  const [exp, nbf] = [Number(claims.exp) * 1000, Number(claims.nbf ?? claims.iat ?? 0) * 1000];
  if (!(exp + SKEW_MS > expected.now) || nbf - SKEW_MS > expected.now) {
    throw refuse(
      700024,
      `Client assertion is not within its valid time range. Current time: ${new Date(expected.now).toISOString()}, assertion valid from ${iso(nbf)}, expiry time of assertion ${iso(exp)}.`,
    );
  }
}

const iso = (ms: number) => (Number.isFinite(ms) ? new Date(ms).toISOString() : "unknown");

function parse(part: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    throw refuse(50027, "JWT token is invalid or malformed.");
  }
  throw refuse(50027, "JWT token is invalid or malformed.");
}

function certificateOf(head: Record<string, unknown>, expected: Assertion): X509Certificate {
  if (head.alg !== "PS256" && head.alg !== "RS256")
    throw refuse(5002730, "Invalid JWT token. Unsupported key for the signing algorithm.");
  for (const pem of expected.certificate?.match(CERTIFICATES) ?? []) {
    const certificate = new X509Certificate(pem);
    const sha256 = createHash("sha256").update(certificate.raw).digest("base64url");
    const sha1 = createHash("sha1").update(certificate.raw).digest();
    // `x5t` comes in base64url, and from some libraries in hexadecimal as `kid`.
    const named = [
      head["x5t#S256"] === sha256,
      head.x5t === sha1.toString("base64url"),
      String(head.kid).toUpperCase() === sha1.toString("hex").toUpperCase(),
    ];
    if (named.includes(true)) return certificate;
  }
  throw refuse(
    700027,
    `The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found., Please visit the Azure Portal and check the registered certificates of application '${expected.clientId}'.]`,
  );
}
