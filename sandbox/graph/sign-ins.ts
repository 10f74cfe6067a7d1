/** The sign-in log. Sources: Graph `signin-list.md`, `resources/signin.md`, Entra `reference-reports-data-retention.md`. */
import { matches, walk } from "./filter.ts";
import { parseFilter } from "./filter-parser.ts";
import { allowQuery, ODataError, type Reply, timestamp } from "./odata.ts";
import { page } from "./pages.ts";
import { READ_SIGN_INS } from "./permissions.ts";
import type { Call, Route, Tenant } from "./runtime.ts";

/** With P1 or P2; 7 days without. */
const KEPT_MS = 30 * 24 * 3600_000;

export interface SignInRecord {
  id: string;
  userId: string;
  at: number;
  homeTenantId: string;
  /** 0: success. */
  errorCode: number;
}

export class SignIns {
  private readonly records: SignInRecord[] = [];

  add(record: SignInRecord): void {
    this.records.push(record);
  }

  /** Newest first. */
  since(at: number): SignInRecord[] {
    return this.records.filter((record) => record.at >= at).sort((a, b) => b.at - a.at);
  }
}

function render(tenant: Tenant, { id, userId, at, homeTenantId, errorCode }: SignInRecord): Record<string, unknown> {
  const person = tenant.directory.people.now(userId);
  return {
    id,
    createdDateTime: timestamp(at),
    userId,
    userDisplayName: person?.state.properties.displayName ?? "",
    userPrincipalName: String(person?.state.properties.userPrincipalName ?? "").toLowerCase(),
    appDisplayName: "My Apps",
    clientAppUsed: "Browser",
    homeTenantId,
    status: { errorCode, failureReason: errorCode === 0 ? "Other." : "Access was blocked.", additionalDetails: null },
  };
}

function list(call: Call): Reply {
  const { tenant, query } = call;
  if ((tenant.spec.skus ?? ["AAD_PREMIUM_P2"]).length === 0) {
    throw new ODataError(
      403,
      "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
      "Neither tenant is B2C or tenant doesn't have premium license",
    );
  }
  allowQuery(query, ["$filter", "$top", "$orderby", "$skiptoken", "$count", "$format"]);
  const text = query.get("$filter");
  const filter = text === undefined ? undefined : parseFilter(text);
  const found = tenant.signIns
    .since(call.now - KEPT_MS)
    .map((record) => render(tenant, record))
    .filter((item) => !filter || matches(filter, (path) => walk(item, path)));
  return page(call, found, "auditLogs/signIns", "auditLogs/signIns", (item) => item);
}

export const SIGN_IN_ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/auditLogs/signIns",
    cost: 1,
    write: false,
    quota: "reports",
    permissions: READ_SIGN_INS,
    handle: list,
  },
];
