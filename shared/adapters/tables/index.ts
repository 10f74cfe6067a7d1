import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import { TableClient, type TableServiceClientOptions } from "@azure/data-tables";
import { DefaultAzureCredential, ManagedIdentityCredential } from "@azure/identity";
import type { Rows } from "../../ports/rows.ts";
import { toThrow } from "./errors.ts";
import { CALL_TIMEOUT_MS, tableRows } from "./rows.ts";

type Policy = NonNullable<TableServiceClientOptions["additionalPolicies"]>[number]["policy"];

export { appendOnly } from "./append-only.ts";
export { tableRows } from "./rows.ts";

/** All tables of the app. */
export const TABLES = [
  "links",
  "targets",
  "checkpoints",
  "subscriptions",
  "provisioninglog",
  "pace",
  "limits",
  "limitparts",
  "jobs",
  "deployment",
  "passes",
  "passpages",
  "orphans",
  "configurations",
  "requests",
  "switches",
  "audit",
  "audithead",
] as const;
export type TableName = (typeof TABLES)[number];

export type TableSettings =
  | { connectionString: string }
  /** `https://{account}.table.core.windows.net`; `clientId` names a user-assigned managed identity. */
  | { tableServiceUri: string; clientId?: string };

export interface Tables {
  rows<T>(table: TableName): Rows<T>;
  /** Creates the tables that are missing. Throws `StorageUnavailable` like every call of the rows. */
  ensureTables(): Promise<void>;
  /** Ends idle connections. */
  close(): void;
}

/** Shorter than any storage keeps an idle connection: we are never the one who writes into a closed one. */
const IDLE_CONNECTION_MS = 15_000;

/** Opens the tables; asks nothing of the storage yet. Throws for settings that name no table service. */
export function openTables(settings: TableSettings): Tables {
  const connect = connector(settings);
  const secure = connect("links", {}).url.startsWith("https:");
  const agentOptions = { keepAlive: true, timeout: IDLE_CONNECTION_MS };
  const agent = secure ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
  const options: TableServiceClientOptions = {
    retryOptions: { maxRetries: 0 }, // the caller decides whether and when to come again
    allowInsecureConnection: !secure, // a storage of this machine
    additionalPolicies: [{ position: "perCall", policy: withAgent(agent) }],
  };
  const clients = new Map(TABLES.map((name) => [name, connect(name, options)]));
  return {
    rows(name) {
      const client = clients.get(name);
      if (!client) throw new RangeError(`there is no table ${name}`);
      return tableRows(client);
    },
    async ensureTables() {
      await Promise.all([...clients.values()].map(createTable));
    },
    close: () => agent.destroy(),
  };
}

/** Makes clients of the storage that the settings name. */
function connector(settings: TableSettings): (table: string, options: TableServiceClientOptions) => TableClient {
  if ("connectionString" in settings) {
    return (table, options) => TableClient.fromConnectionString(settings.connectionString, table, options);
  }
  if (!/^https:\/\/[^/]/.test(settings.tableServiceUri)) {
    throw new TypeError(`the table service must be an https address, not ${JSON.stringify(settings.tableServiceUri)}`);
  }
  const credential =
    settings.clientId === undefined
      ? new DefaultAzureCredential()
      : new ManagedIdentityCredential({ clientId: settings.clientId });
  return (table, options) => new TableClient(settings.tableServiceUri, table, credential, options);
}

function withAgent(agent: HttpAgent | HttpsAgent): Policy {
  return {
    name: "keepAlive",
    sendRequest(request, next) {
      request.agent = agent;
      return next(request);
    },
  };
}

async function createTable(client: TableClient): Promise<void> {
  try {
    await client.createTable({ abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS) }); // one that is there already is fine
  } catch (error) {
    throw toThrow(error, `table ${client.tableName}, create`);
  }
}
