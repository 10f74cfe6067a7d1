/**
 * The login root of one tenant: discovery, keys, the client credentials grant; and the check of access tokens that come
 * to Graph. Sources: Entra `identity-platform/v2-oauth2-client-creds-grant-flow.md`, `certificate-credentials.md`,
 * `access-token-claims-reference.md`, `reference-error-codes.md`.
 */
import { createHash, generateKeyPairSync, type KeyObject, sign, verify } from "node:crypto";
import type { SandboxClock } from "../clock.ts";
import { hash, type Random, random } from "../random.ts";
import type { ClientSpec, TenantSpec } from "./api.ts";
import { type Assertion, checkAssertion, OAuthError } from "./client-assertion.ts";
import { ODataError, type Reply } from "./odata.ts";
import { EVERY_PERMISSION } from "./permissions.ts";
import type { Roots, World } from "./runtime.ts";

/** Who calls. */
export interface Principal {
  readonly clientId: string;
  readonly roles: ReadonlySet<string>;
  /** Holds a directory role that may write to administrators: an app with `*`. */
  readonly administrator: boolean;
  /** ms since 1970. */
  readonly expiresAt: number;
}

const TOKEN_SECONDS = 3599;
/** The template id of the role Global Administrator. */
const GLOBAL_ADMINISTRATOR = "62e90394-69f5-4237-9190-012177145e10";
const KNOWN_TOKENS_MAX = 5000;

interface SigningKey {
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: Record<string, unknown>;
  id: string;
}

/** Making a key takes a tenth of a second: worlds of one process share them, tenant by tenant. */
const signingKeys = new Map<string, SigningKey>();

function signingKey(ordinal: number, generation: number): SigningKey {
  const name = `${ordinal}/${generation}`;
  const known = signingKeys.get(name);
  if (known) return known;
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = publicKey.export({ format: "jwk" });
  const id = createHash("sha256").update(String(jwk.n)).digest("base64url").slice(0, 27);
  const made = { privateKey, publicKey, jwk: { ...jwk }, id };
  signingKeys.set(name, made);
  return made;
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

const unauthorized = (message: string) =>
  new ODataError(401, "InvalidAuthenticationToken", message, {
    headers: {
      "www-authenticate":
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", client_id="00000003-0000-0000-c000-000000000000"',
    },
  });

const isDisabled = (clientId: string) =>
  new OAuthError(401, "unauthorized_client", 7000112, `Application '${clientId}' is disabled.`);

export class Tokens {
  private readonly spec: TenantSpec;
  private readonly roots: Roots;
  private readonly clock: SandboxClock;
  private readonly keyOf: (generationsAgo: number) => SigningKey;
  private readonly chance: Random;
  private readonly known = new Map<string, Principal>();
  private readonly clients: Map<string, ClientSpec>;
  private readonly disabled = new Set<string>();

  constructor(spec: TenantSpec, roots: Roots, world: Pick<World, "clock" | "seed" | "knobs">, ordinal: number) {
    this.spec = spec;
    this.roots = roots;
    this.clock = world.clock;
    this.keyOf = (ago) => signingKey(ordinal, Math.max(0, world.knobs.signingKeyGeneration - ago));
    this.chance = random(hash(`${world.seed}/${spec.id}/tokens`));
    this.clients = new Map(spec.clients.map((client) => [client.clientId.toLowerCase(), client]));
  }

  client(clientId: string): ClientSpec | undefined {
    return this.clients.get(clientId.toLowerCase());
  }

  /** An access token for Graph. */
  issue(clientId: string): string {
    const client = this.client(clientId);
    if (!client) throw new Error(`tenant ${this.spec.name} has no app registration ${clientId}`);
    if (this.disabled.has(client.clientId)) throw new Error(`AADSTS7000112: ${isDisabled(clientId).message}`);
    return this.graphToken(client);
  }

  /** A disabled enterprise application gets no tokens; those that it has stay good. Source: Entra `deactivate-application-portal.md`. */
  enable(clientId: string, enabled: boolean): void {
    const client = this.client(clientId);
    if (!client) throw new Error(`tenant ${this.spec.name} has no app registration ${clientId}`);
    if (enabled) this.disabled.delete(client.clientId);
    else this.disabled.add(client.clientId);
  }

  /** Who sent a call with this header. Throws 401 in Graph's form. */
  check(authorization: string | undefined): Principal {
    if (!authorization?.startsWith("Bearer ")) throw unauthorized("Access token is empty.");
    const token = authorization.slice(7).trim();
    const principal = this.known.get(token) ?? this.verify(token);
    if (principal.expiresAt <= this.clock.now())
      throw unauthorized("Lifetime validation failed, the token is expired.");
    return principal;
  }

  /** One call to the login root. */
  handle(method: string, segments: readonly string[], form: URLSearchParams): Reply {
    const [tenant, ...rest] = segments;
    try {
      if (tenant === undefined || !this.isThisTenant(tenant))
        throw new OAuthError(
          400,
          "invalid_request",
          90002,
          `Tenant '${tenant ?? ""}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
        );
      const path = rest.join("/");
      if (method === "GET" && path === "v2.0/.well-known/openid-configuration")
        return { status: 200, body: this.discovery() };
      if (method === "GET" && path === "discovery/v2.0/keys") return { status: 200, body: { keys: this.publicJwks() } };
      if (path === "oauth2/v2.0/token") {
        if (method !== "POST")
          throw new OAuthError(
            400,
            "invalid_request",
            900561,
            "The endpoint only accepts POST requests. Received a GET request.",
          );
        return {
          status: 200,
          body: this.grant(form),
          headers: { "cache-control": "no-store, no-cache", pragma: "no-cache" },
        };
      }
      return { status: 404, text: "" };
    } catch (error) {
      if (error instanceof OAuthError) return this.refusal(error);
      throw error;
    }
  }

  refusal(error: OAuthError): Reply {
    const [traceId, correlationId] = [this.chance.uuid(), this.chance.uuid()];
    const at = `${new Date(this.clock.now()).toISOString().slice(0, 19).replace("T", " ")}Z`;
    return {
      status: error.status,
      headers: { "cache-control": "no-store, no-cache" },
      body: {
        error: error.error,
        error_description: `AADSTS${error.number}: ${error.message} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${at}`,
        error_codes: [error.number],
        timestamp: at,
        trace_id: traceId,
        correlation_id: correlationId,
        error_uri: `${this.roots.login}/error?code=${error.number}`,
      },
    };
  }

  private isThisTenant(name: string): boolean {
    const { id, domain, initialDomain } = this.spec;
    return [id, domain, initialDomain].some((own) => own.toLowerCase() === name.toLowerCase());
  }

  private discovery(): unknown {
    const { login, graph } = this.roots;
    const { id, cloud } = this.spec;
    const base = `${login}/${id}`;
    return {
      token_endpoint: `${base}/oauth2/v2.0/token`,
      token_endpoint_auth_methods_supported: ["client_secret_post", "private_key_jwt", "client_secret_basic"],
      jwks_uri: `${base}/discovery/v2.0/keys`,
      response_modes_supported: ["query", "fragment", "form_post"],
      subject_types_supported: ["pairwise"],
      id_token_signing_alg_values_supported: ["RS256"],
      response_types_supported: ["code", "id_token", "code id_token", "id_token token"],
      scopes_supported: ["openid", "profile", "email", "offline_access"],
      issuer: `${base}/v2.0`,
      request_uri_parameter_supported: false,
      userinfo_endpoint: `${graph}/oidc/userinfo`,
      authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
      device_authorization_endpoint: `${base}/oauth2/v2.0/devicecode`,
      http_logout_supported: true,
      frontchannel_logout_supported: true,
      end_session_endpoint: `${base}/oauth2/v2.0/logout`,
      claims_supported: ["sub", "iss", "aud", "exp", "iat", "tid", "ver", "azp"],
      tenant_region_scope: cloud === "global" ? "WW" : cloud === "china" ? "AS" : "USGOV",
      cloud_instance_name:
        cloud === "global"
          ? "microsoftonline.com"
          : cloud === "china"
            ? "partner.microsoftonline.cn"
            : "microsoftonline.us",
      cloud_graph_host_name: cloud === "china" ? "graph.chinacloudapi.cn" : "graph.windows.net",
      msgraph_host: graph.replace(/^https?:\/\//, ""),
    };
  }

  /** The key in use and the one before it, as after a rollover. */
  private publicJwks(): unknown[] {
    return [...new Set([this.keyOf(0), this.keyOf(1)])].map(({ jwk, id }) => ({
      ...jwk,
      use: "sig",
      kid: id,
      x5t: id,
      alg: "RS256",
      issuer: `${this.roots.login}/${this.spec.id}/v2.0`,
    }));
  }

  private grant(form: URLSearchParams): unknown {
    const required = (name: string) => {
      const value = form.get(name);
      if (!value)
        throw new OAuthError(
          400,
          "invalid_request",
          900144,
          `The request body must contain the following parameter: '${name}'.`,
        );
      return value;
    };
    const grantType = required("grant_type");
    if (grantType !== "client_credentials") {
      throw new OAuthError(
        400,
        "unsupported_grant_type",
        70003,
        `The app requested an unsupported grant type '${grantType}'.`,
      );
    }
    const clientId = required("client_id");
    const client = this.client(clientId);
    if (!client) {
      throw new OAuthError(
        400,
        "unauthorized_client",
        700016,
        `Application with identifier '${clientId}' was not found in the directory '${this.spec.domain}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant.`,
      );
    }
    if (this.disabled.has(client.clientId)) throw isDisabled(client.clientId);
    this.authenticate(client, form);
    const access_token = this.tokenFor(client, required("scope"));
    return { token_type: "Bearer", expires_in: TOKEN_SECONDS, ext_expires_in: TOKEN_SECONDS, access_token };
  }

  private authenticate(client: ClientSpec, form: URLSearchParams): void {
    const secret = form.get("client_secret");
    const assertion = form.get("client_assertion");
    if (assertion) {
      const expected: Assertion = {
        clientId: client.clientId,
        audience: `${this.roots.login}/${this.spec.id}/oauth2/v2.0/token`,
        alsoAudience: [this.spec.domain, this.spec.initialDomain].map(
          (name) => `${this.roots.login}/${name}/oauth2/v2.0/token`,
        ),
        certificate: client.certificate,
        now: this.clock.now(),
      };
      checkAssertion(assertion, form.get("client_assertion_type"), expected);
    } else if (secret) {
      if (client.secret === undefined || secret !== client.secret) {
        throw new OAuthError(
          401,
          "invalid_client",
          7000215,
          `Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '${client.clientId}'.`,
        );
      }
    } else {
      throw new OAuthError(
        401,
        "invalid_client",
        7000218,
        "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
      );
    }
  }

  private tokenFor(client: ClientSpec, scope: string): string {
    if (scope === `${this.roots.graph}/.default`) return this.graphToken(client);
    const own = /^api:\/\/([0-9a-f-]{36})\/\.default$/i.exec(scope)?.[1];
    const api = own === undefined ? undefined : this.client(own);
    if (api) {
      // An app's own API (accessTokenAcceptedVersion 2): the audience is its client id.
      return this.sign({
        aud: api.clientId,
        iss: `${this.roots.login}/${this.spec.id}/v2.0`,
        azp: client.clientId,
        azpacr: "2",
        roles: client.appRoles ?? [],
        ver: "2.0",
        ...this.common(client),
      });
    }
    if (!scope.endsWith("/.default")) {
      throw new OAuthError(
        400,
        "invalid_scope",
        1002012,
        `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).`,
      );
    }
    const resource = scope.slice(0, -"/.default".length);
    throw new OAuthError(
      400,
      "invalid_resource",
      500011,
      `The resource principal named ${resource} was not found in the tenant named ${this.spec.domain}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant.`,
    );
  }

  private graphToken(client: ClientSpec): string {
    const everything = client.permissions.includes("*");
    const issuer = this.spec.cloud === "china" ? "https://sts.chinacloudapi.cn" : "https://sts.windows.net";
    return this.sign({
      aud: this.roots.graph,
      iss: `${issuer}/${this.spec.id}/`,
      appid: client.clientId,
      appidacr: client.certificate ? "2" : "1",
      roles: everything ? EVERY_PERMISSION : client.permissions,
      ...(everything ? { wids: [GLOBAL_ADMINISTRATOR] } : {}),
      ver: "1.0",
      ...this.common(client),
    });
  }

  private common(client: ClientSpec) {
    const seconds = Math.floor(this.clock.now() / 1000);
    const subject = objectIdOf(this.spec.id, client.clientId, "servicePrincipal");
    return {
      tid: this.spec.id,
      oid: subject,
      sub: subject,
      idtyp: "app",
      iat: seconds,
      nbf: seconds,
      exp: seconds + TOKEN_SECONDS,
      uti: this.chance.secret(16),
    };
  }

  private sign(claims: Record<string, unknown>): string {
    const key = this.keyOf(0);
    const content = `${encode({ typ: "JWT", alg: "RS256", kid: key.id, x5t: key.id })}.${encode(claims)}`;
    return `${content}.${sign("RSA-SHA256", Buffer.from(content), key.privateKey).toString("base64url")}`;
  }

  private verify(token: string): Principal {
    const parts = token.split(".");
    const [header, payload, signature] = parts;
    if (parts.length !== 3 || !header || !payload || !signature)
      throw unauthorized("IDX14100: JWT is not well formed, there are no dots (.).");
    let claims: Record<string, unknown>;
    let kid: unknown;
    try {
      claims = JSON.parse(Buffer.from(payload, "base64url").toString());
      kid = JSON.parse(Buffer.from(header, "base64url").toString()).kid;
    } catch {
      throw unauthorized("CompactToken parsing failed with error code: 80049217");
    }
    const key = [this.keyOf(0), this.keyOf(1)].find(({ id }) => id === kid) ?? this.keyOf(0);
    const valid = verify(
      "RSA-SHA256",
      Buffer.from(`${header}.${payload}`),
      key.publicKey,
      Buffer.from(signature, "base64url"),
    );
    if (!valid) throw unauthorized("Access token validation failure. Invalid signature.");
    // Whole tenants share a key of this process: the tenant is checked as such.
    if (claims.tid !== this.spec.id) throw unauthorized("Access token validation failure. Invalid tenant.");
    if (claims.aud !== this.roots.graph) throw unauthorized("Access token validation failure. Invalid audience.");
    const principal: Principal = {
      clientId: String(claims.appid),
      roles: new Set(Array.isArray(claims.roles) ? claims.roles.map(String) : []),
      administrator: Array.isArray(claims.wids) && claims.wids.includes(GLOBAL_ADMINISTRATOR),
      expiresAt: Number(claims.exp) * 1000,
    };
    if (Number(claims.nbf) * 1000 > this.clock.now() + 300_000)
      throw unauthorized("Lifetime validation failed, the token is not yet valid.");
    if (this.known.size >= KNOWN_TOKENS_MAX) this.known.clear();
    this.known.set(token, principal);
    return principal;
  }
}

/** An id that follows from what it belongs to. */
export function objectIdOf(tenantId: string, clientId: string, what: string): string {
  return random(hash(`${tenantId}/${clientId}/${what}`)).uuid();
}
