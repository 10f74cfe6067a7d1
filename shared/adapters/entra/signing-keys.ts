import { createLocalJWKSet, type JWTVerifyGetKey } from "jose";
import * as z from "zod";
import { KeysUnavailable } from "../../ports/access-tokens.ts";
import type { Clock } from "../../ports/clock.ts";

/** Fetches what is at an https address; `fetch` fits. */
export type Transport = (url: string, init: { redirect: "error"; signal: AbortSignal }) => Promise<Response>;

export interface SigningKeysOptions {
  /** The login root, without a slash at the end. */
  login: string;
  tenantId: string;
  /** Issuers that are ours; metadata that names another one is refused. */
  issuers: readonly string[];
  /** Hosts at which the keys may lie. */
  hosts: readonly string[];
  transport: Transport;
  clock: Clock;
}

const CALL_TIMEOUT_MS = 5_000;
const ANSWER_CHARACTERS_MAX = 500_000;
/** "A reasonable frequency to check for updates … is every 24 hours": Entra `signing-key-rollover.md`. */
const KEPT_MS = 24 * 3_600_000;
/** A token with an unknown key asks for the keys anew, however many such tokens come, at most this often. */
const ASKED_AGAIN_MS = 60_000;
/** After a failure. */
const RETRIED_MS = 5_000;

const Metadata = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https$/ }) });
const Keys = z.object({
  keys: z
    .array(z.looseObject({ kty: z.string(), kid: z.string(), issuer: z.string().optional() }))
    .min(1)
    .max(100),
});

/**
 * The keys with which a tenant's tokens are signed: found through its OpenID metadata, kept for a day, asked for again when a
 * token names a key that is not among them.
 */
export class SigningKeys {
  private readonly options: SigningKeysOptions;
  private keys: { select: JWTVerifyGetKey; ids: ReadonlySet<string>; at: number } | undefined;
  private asking: Promise<void> | undefined;
  private askedAt = Number.NEGATIVE_INFINITY;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: SigningKeysOptions) {
    this.options = options;
  }

  /** Throws `KeysUnavailable` when there are no keys at all; old ones serve while new ones cannot be had. */
  async forKey(kid: string): Promise<JWTVerifyGetKey> {
    const now = this.options.clock.now();
    const stale = !this.keys || now - this.keys.at > KEPT_MS;
    const wanted = stale || !this.keys?.ids.has(kid);
    if (wanted && now - this.askedAt >= (this.keys ? ASKED_AGAIN_MS : 0) && now - this.failedAt >= RETRIED_MS) {
      this.asking ??= this.ask().finally(() => {
        this.asking = undefined;
      });
    }
    if (wanted && this.asking !== undefined) await this.asking.catch(() => undefined);
    if (!this.keys) throw new KeysUnavailable("the signing keys of the tenant cannot be read");
    return this.keys.select;
  }

  private async ask(): Promise<void> {
    const { login, tenantId, issuers, hosts, clock } = this.options;
    this.askedAt = clock.now();
    try {
      const metadata = Metadata.parse(await this.read(`${login}/${tenantId}/v2.0/.well-known/openid-configuration`));
      if (!issuers.includes(metadata.issuer)) throw new Error("the metadata names another issuer");
      if (!hosts.includes(new URL(metadata.jwks_uri).host)) throw new Error("the keys lie at another host");
      const { keys } = Keys.parse(await this.read(metadata.jwks_uri));
      // "Signing key issuer": Entra `claims-validation.md`. A key may sign for the issuer that it names only.
      const ours = keys.filter(
        ({ issuer }) => issuer === undefined || issuers.includes(issuer.replace("{tenantid}", tenantId)),
      );
      const ids = new Set(ours.map(({ kid }) => kid));
      this.keys = { select: createLocalJWKSet({ keys: ours }), ids, at: clock.now() };
    } catch (error) {
      this.failedAt = clock.now();
      throw error;
    }
  }

  private async read(url: string): Promise<unknown> {
    const answer = await this.options.transport(url, {
      redirect: "error",
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    if (!answer.ok) throw new Error(`the login answered ${answer.status}`);
    const text = await answer.text();
    if (text.length > ANSWER_CHARACTERS_MAX) throw new Error("the answer of the login is too long");
    return JSON.parse(text);
  }
}
