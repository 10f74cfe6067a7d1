/** Every way in which the admin API says no: status, meaning and remedy. Form: RFC 9457, `application/problem+json`. */
export const ADMIN_ERRORS = {
  NOT_CONFIGURED: {
    status: 503,
    meaning: "The admin API takes no tokens: the app settings name no tenant and audience.",
    remedy: "Set ADMIN_TENANT_ID and ADMIN_AUDIENCE; see docs/admin.md.",
  },
  UNAUTHENTICATED: {
    status: 401,
    meaning: "There is no access token for this app in the call, or it is not valid.",
    remedy: "Sign in to the tenant that ADMIN_TENANT_ID names and ask for a token for this app's audience.",
  },
  SIGN_IN_UNAVAILABLE: {
    status: 503,
    meaning: "The keys with which the cloud signs tokens cannot be read.",
    remedy: "Try again in a minute. If it stays, check that the app reaches the cloud's login.",
  },
  ROLE_MISSING: {
    status: 403,
    meaning: "The token does not carry the app role that this takes.",
    remedy: "Assign the app role to the person, a group or a service principal in the enterprise application.",
  },
  OUT_OF_SCOPE: {
    status: 403,
    meaning: "This concerns a target or job beyond those that the configuration narrows you to.",
    remedy: "Ask somebody whose scope holds it, or have `admin.scopes` of the configuration changed.",
  },
  OWN_REQUEST: {
    status: 403,
    meaning: "Nobody approves what they asked for themselves.",
    remedy: "Ask somebody else with the role Sync.Approve.",
  },
  NOT_FOUND: {
    status: 404,
    meaning: "There is nothing here by this name.",
    remedy: "Check the spelling; see docs/admin.md.",
  },
  METHOD_NOT_ALLOWED: {
    status: 405,
    meaning: "This is read with GET or done with POST, not so.",
    remedy: "See docs/admin.md.",
  },
  ALREADY_SETTLED: {
    status: 409,
    meaning: "This was decided already, or nobody decided in time.",
    remedy: "Look at it with `requests list` or `held list`; ask anew if it is still wanted.",
  },
  NOTHING_TO_DO: { status: 409, meaning: "Things are so already.", remedy: "Look at `status`." },
  REFUSED: {
    status: 409,
    meaning: "This cannot be done as things are.",
    remedy: "Look at how things are now: `status`, `held list`, `job list`.",
  },
  TOO_LARGE: { status: 413, meaning: "The body is too large.", remedy: "Send at most 64 KB of JSON." },
  INVALID: {
    status: 400,
    meaning: "The call is not of the form that this takes.",
    remedy: "Correct what is named, and call again.",
  },
  TOO_MANY_CALLS: {
    status: 429,
    meaning: "Too many calls from one principal.",
    remedy: "Wait as long as Retry-After says.",
  },
  UNAVAILABLE: {
    status: 503,
    meaning: "Storage or the bus did not answer. It is not known whether the act took place; to repeat it is safe.",
    remedy: "Repeat the call.",
  },
} as const satisfies Record<string, { status: number; meaning: string; remedy: string }>;

export type AdminErrorCode = keyof typeof ADMIN_ERRORS;

/** Where in the input, and what is wrong there. */
export interface InputMistake {
  path: string;
  problem: string;
}

export class AdminError extends Error {
  readonly code: AdminErrorCode;
  readonly detail: string | undefined;
  readonly mistakes: readonly InputMistake[] | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    code: AdminErrorCode,
    more: { detail?: string; mistakes?: readonly InputMistake[]; retryAfterSeconds?: number } = {},
  ) {
    super(`${code}: ${ADMIN_ERRORS[code].meaning}`);
    this.name = "AdminError";
    this.code = code;
    this.detail = more.detail;
    this.mistakes = more.mistakes;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

export interface AdminAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** Nobody keeps an answer, and no browser takes it for a page. */
const HEADERS = { "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" };

export const answer = (status: number, value: unknown): AdminAnswer => ({
  status,
  headers: { ...HEADERS, "Content-Type": "application/json" },
  body: JSON.stringify(value),
});

export function problem({ code, detail, mistakes, retryAfterSeconds }: AdminError): AdminAnswer {
  const { status, meaning, remedy } = ADMIN_ERRORS[code];
  return {
    status,
    headers: {
      ...HEADERS,
      "Content-Type": "application/problem+json",
      ...(status === 401 ? { "WWW-Authenticate": "Bearer" } : {}),
      ...(retryAfterSeconds === undefined ? {} : { "Retry-After": String(retryAfterSeconds) }),
    },
    body: JSON.stringify({
      type: "about:blank",
      title: meaning,
      status,
      code,
      ...(detail === undefined ? {} : { detail }),
      remedy,
      ...(mistakes === undefined ? {} : { mistakes }),
    }),
  };
}
