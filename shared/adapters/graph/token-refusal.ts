import { SyncError } from "../../domain/error.ts";

/** `AADSTS90033`, `AADSTS90006`: transient. Source: Entra `reference-error-codes.md`. */
const TRANSIENT = new Set(["90033", "90006"]);
/** The application is disabled in this tenant. */
const DISABLED = "7000112";

/** What it means that the login gave no token: it has answered with a code of its own, or nobody knows. */
export function withoutToken(tenantId: string, cause: unknown): SyncError {
  const number = refusalOf(cause);
  if (number === undefined || TRANSIENT.has(number))
    return new SyncError("TENANT_UNAVAILABLE", { tenantId, detail: "no access token", cause });
  const code = number === DISABLED ? "TENANT_APP_DISABLED" : "TENANT_CONSENT_MISSING";
  return new SyncError(code, { tenantId, detail: `no access token: AADSTS${number}`, cause });
}

/** The SDK's errors hold the login's words, whatever they wrap. */
function refusalOf(cause: unknown): string | undefined {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const number = /AADSTS(\d{3,8})/.exec(error.message)?.[1];
    if (number !== undefined) return number;
  }
  return undefined;
}
