import { decodeProtectedHeader, jwtVerify } from "jose";
import * as z from "zod";
import { type AccessTokens, type Caller, KeysUnavailable } from "../../ports/access-tokens.ts";
import type { Clock } from "../../ports/clock.ts";
import { SigningKeys, type Transport } from "./signing-keys.ts";

export interface AccessTokenOptions {
  /** The tenant whose people and apps may call. */
  tenantId: string;
  /** The login root of its cloud. */
  login: string;
  /** Who issues tokens in its cloud, without tenant: `v1` as in `https://sts.windows.net`, `v2` as in `https://login.microsoftonline.com`. */
  issuers: { v1: string; v2: string };
  /** Client id of the app registration, or its `api://` URI. With an id, `api://{id}` is accepted too. */
  audience: string;
  transport: Transport;
  clock: Clock;
}

const CLOCKS_DIFFER_SECONDS = 60;
const TOKEN_CHARACTERS_MAX = 16_000;

const Claims = z.object({
  tid: z.guid(),
  oid: z.guid(),
  appid: z.guid().optional(),
  azp: z.guid().optional(),
  roles: z.array(z.string().max(120)).max(500).default([]),
});

/** Whose client has it: every access token says so (v1 `appid`, v2 `azp`), and no ID token, which has roles and our audience too. */
const clientOf = ({ azp, appid }: z.infer<typeof Claims>): string | undefined => (azp ?? appid)?.toLowerCase();

/**
 * Entra access tokens of one tenant, v1 and v2. Source: Entra `access-tokens.md`, `access-token-claims-reference.md`. Only
 * RS256, which is what Entra signs with; issuer, audience, tenant and times are all checked.
 */
export function accessTokens(options: AccessTokenOptions): AccessTokens {
  const { tenantId, login, clock } = options;
  const issuers = issuersOf(options);
  const keys = new SigningKeys({
    login,
    tenantId,
    issuers,
    hosts: [...new Set([login, options.issuers.v2].map((root) => new URL(root).host))],
    transport: options.transport,
    clock,
  });
  const audience = /^[0-9a-f-]{36}$/i.test(options.audience)
    ? [options.audience, `api://${options.audience}`]
    : [options.audience];
  return {
    async verify(token): Promise<Caller | undefined> {
      const kid = keyIdOf(token);
      if (kid === undefined) return undefined;
      const select = await keys.forKey(kid);
      try {
        const { payload } = await jwtVerify(token, select, {
          algorithms: ["RS256"],
          issuer: [...issuers],
          audience,
          clockTolerance: CLOCKS_DIFFER_SECONDS,
          currentDate: new Date(clock.now()),
          requiredClaims: ["exp", "nbf", "iss", "aud", "tid", "oid"],
        });
        const claims = Claims.parse(payload);
        const appId = clientOf(claims);
        if (claims.tid.toLowerCase() !== tenantId.toLowerCase() || appId === undefined) return undefined;
        return {
          tenantId: claims.tid.toLowerCase(),
          objectId: claims.oid.toLowerCase(),
          appId,
          roles: claims.roles,
        };
      } catch (error) {
        if (error instanceof KeysUnavailable) throw error;
        return undefined; // whatever is wrong with it: telling would help nobody but a forger
      }
    },
  };
}

/** `https://login.microsoftonline.com/{tid}/v2.0`, `https://sts.windows.net/{tid}/`; a sandbox's login issues in its own name. */
function issuersOf({ tenantId, issuers, login }: AccessTokenOptions): readonly string[] {
  return [...new Set([`${issuers.v2}/${tenantId}/v2.0`, `${issuers.v1}/${tenantId}/`, `${login}/${tenantId}/v2.0`])];
}

/** The key that the token names, if it looks like a token at all. */
function keyIdOf(token: string): string | undefined {
  if (token.length > TOKEN_CHARACTERS_MAX) return undefined;
  try {
    const { alg, kid } = decodeProtectedHeader(token);
    return alg === "RS256" && typeof kid === "string" ? kid : undefined;
  } catch {
    return undefined;
  }
}
