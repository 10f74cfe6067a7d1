import { writeFile } from "node:fs/promises";
import * as z from "zod";
import { ADMIN_ERRORS } from "../shared/admin/problem.ts";
import { SyncConfig } from "../shared/config/schema.ts";
import { ERRORS, type ErrorEntry } from "../shared/domain/error.ts";
import { PERMISSIONS } from "../shared/domain/permissions.ts";
import { mappingsPage } from "./mappings-page.ts";

/** `npm run docs`: pages that are made from the code. A test fails when one of them is stale. */

interface Schema {
  description?: string;
  examples?: unknown[];
  type?: string;
  const?: unknown;
  enum?: unknown[];
  default?: unknown;
  format?: string;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
}

const schema = () => z.toJSONSchema(SyncConfig, { io: "input" }) as Schema;

/** Every page, by its path. */
export function pages(): Readonly<Record<string, string>> {
  return {
    "docs/errors.md": errorsPage(),
    "docs/configuration.md": configurationPage(),
    "docs/mappings.md": mappingsPage(),
    "docs/permissions.md": permissionsPage(),
    "docs/sync.config.schema.json": `${JSON.stringify(schema(), null, 2)}\n`,
  };
}

function errorsPage(): string {
  const blame: Record<ErrorEntry["blame"], string> = {
    object: "this person; escrow",
    tenant: "the tenant; circuit",
    pace: "the pace; a later slot",
    ours: "storage, bus or this deployment",
  };
  const rows = Object.entries<ErrorEntry>(ERRORS).map(
    ([code, { meaning, remedy, held, blame: whose, entra }]) =>
      `| \`${code}\` | ${entra ? `\`${entra}\`` : ""} | ${held ? "held: " : ""}${blame[whose]} | ${cell(meaning)} | ${cell(remedy)} |`,
  );
  return `# Error codes

Made from \`shared/domain/error.ts\`: do not edit, run \`npm run docs\`.

A failure of a **person** puts that person into escrow: they are tried again after 1 min, 10 min, 1 h, 6 h, 12 h, 24 h and then every
24 h, and nobody else waits. **Held** means that nothing is broken: a rule or a person has to decide. Failures of a **tenant**, of
storage or of the bus count for nobody: the work goes on when they are back.

The second column is the name that Entra's provisioning logs have for it; a log row carries both.

| code | Entra's name | whose | meaning | remedy |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

## Admin API

Answers of the API that \`docs/admin.md\` describes, made from \`shared/admin/problem.ts\`.

| code | status | meaning | remedy |
| --- | --- | --- | --- |
${Object.entries(ADMIN_ERRORS)
  .map(([code, { status, meaning, remedy }]) => `| \`${code}\` | ${status} | ${cell(meaning)} | ${cell(remedy)} |`)
  .join("\n")}
`;
}

function permissionsPage(): string {
  const rows = PERMISSIONS.map(({ side, permissions, optional, feature, page }) => {
    const names = permissions.map((name) => `\`${name}\``).join(", ");
    return `| ${side} | ${names} | ${optional ? "optional" : ""} | ${cell(feature)} | ${page} |`;
  });
  return `# Permissions

Made from \`shared/domain/permissions.ts\`: do not edit, run \`npm run docs\`.

App registrations do not cross clouds: one in each cloud, or one in each tenant. Grant these application permissions of Microsoft
Graph, and admin consent, in each tenant for the sides that it has in jobs; what a feature names that no job uses, leave out.
\`npx cross-cloud-sync doctor permissions\` lists them for a configuration. The sandbox's tokens enforce them, and its scenarios run with
exactly what is required here.

| tenant is | permission | | for | Graph page |
| --- | --- | --- | --- | --- |
${rows.join("\n")}

Nothing of the product writes to a group, a role, a policy or an application other than its own: no such permission is ever needed.
Do not give the app a directory role: people who are administrators in the target are out of its reach then, as they should be.
\`User.ReadWrite.All\` could be narrowed to \`User.ReadUpdate.All\` for jobs without manager and sponsors where the cloud offers it; that is
not assumed here, because Microsoft does not say so for every cloud.
`;
}

function configurationPage(): string {
  return `# Configuration

Made from \`shared/config/schema.ts\`: do not edit, run \`npm run docs\`.

Everything an administrator decides is in \`sync.config.json\`, under version control and without a secret. Editors help when the
file begins with \`"$schema": "./docs/sync.config.schema.json"\`. A configuration with a mistake starts nothing; every mistake is
listed with its path and a remedy.

${tables("", schema()).join("\n\n")}

## Attribute mappings

A job without \`mappings\` has the default set; see [attribute mappings](mappings.md) for it, and for what can be mapped to what.

## App settings

| setting | default | what |
| --- | --- | --- |
| \`SYNC_CONFIG\` | \`sync.config.json\` | path of the configuration |
| \`SYNC_CONFIG_REVISION\` | | any text; makes a configuration that was replaced before a new one again (going back) |
| \`SYNC_CONFIG_AUTHOR\` | | \`{tenant id}/{object id}\` of who rolls out: that person's approval of a weakening change does not count |
| \`ADMIN_TENANT_ID\`, \`ADMIN_AUDIENCE\`, \`ADMIN_CLOUD\` | , , \`global\` | whose tokens the admin API takes ([admin.md](admin.md)); absent: none |
| \`TABLES\` | | connection string of the storage; or \`TABLES__tableServiceUri\` with \`TABLES__clientId\` for a managed identity |
| \`SERVICE_BUS\` | | connection string of the namespace; or \`SERVICE_BUS__fullyQualifiedNamespace\` with \`SERVICE_BUS__clientId\` |
| \`PUBLIC_URL\` | | https address at which Graph reaches the app; absent: no notifications, sweeps only |
| \`SWEEP_SCHEDULE\`, \`PASS_SCHEDULE\`, \`SUBSCRIPTION_SCHEDULE\` | | required: NCRONTAB of the timers, such as \`0 * * * * *\`, \`15 * * * * *\`, \`30 * * * * *\` |
| \`SWEEP_SECONDS\` | 300 | a source tenant is swept this often |
| \`FULL_PASS_SECONDS\` | 86400 | everybody in a source tenant is compared with the links this often; the pages are spread over it |
| \`DRIFT_SECONDS\` | 300 | the changes of a target tenant are read this often |
| \`CENSUS_SECONDS\` | 86400 | everybody in a target tenant is compared with the links this often |
| \`REPLICATION_ALLOWANCE_SECONDS\` | 90 | after this time every replica of Graph has seen a write |
| \`INDEX_ALLOWANCE_SECONDS\` | 300 | after this time the search index has seen it; less than 75 is refused outside a sandbox, as an invitation that comes late would make a second user |
| \`SECOND_READING_SECONDS\` | 2 | between two readings of a membership |
| \`WRITE_QUOTA\` | \`3000/150\` | writes per seconds that a target grants this app registration |
| \`SANDBOX_ENDPOINTS\` | | only in a sandbox: other roots than the clouds' own |
`;
}

/** One table for an object and those inside it. */
function tables(path: string, node: Schema): string[] {
  const title = path === "" ? "## `sync.config.json`" : `## \`${path}\``;
  const rows: string[] = [];
  const inner: string[] = [];
  for (const [key, value] of properties(node)) {
    const at = path === "" ? key : `${path}.${key}`;
    const required =
      node.required?.includes(key) || variants(node).every((variant) => variant.required?.includes(key))
        ? ""
        : defaultOf(value);
    rows.push(
      `| \`${key}\` | ${typeOf(value)} | ${required} | ${cell(value.description ?? "")} | \`${JSON.stringify(value.examples?.[0])}\` |`,
    );
    const deeper = value.items ?? value;
    if (properties(deeper).length > 0) inner.push(...tables(value.items ? `${at}[]` : at, deeper));
  }
  return [
    `${title}\n\n| key | type | default | what | example |\n| --- | --- | --- | --- | --- |\n${rows.join("\n")}`,
    ...inner,
  ];
}

const variants = (node: Schema): readonly Schema[] => node.anyOf ?? node.oneOf ?? [node];

/** Of all variants, each key once; the literals of a discriminator side by side. */
function properties(node: Schema): [string, Schema][] {
  const all = new Map<string, Schema>();
  for (const variant of variants(node)) {
    for (const [key, value] of Object.entries(variant.properties ?? {})) {
      const before = all.get(key);
      if (before?.const === undefined || value.const === undefined) all.set(key, before ?? value);
      else
        all.set(key, {
          ...before,
          enum: [...(before.enum ?? [before.const]), value.const],
          description: `${before.description} / ${value.description}`,
        });
    }
  }
  return [...all];
}

function typeOf(node: Schema): string {
  if (node.enum) return node.enum.map((value) => `\`${JSON.stringify(value)}\``).join(" \\| ");
  if (node.const !== undefined) return `\`${JSON.stringify(node.const)}\``;
  if (node.items) return "list";
  if (node.properties || node.oneOf) return "object";
  if (node.anyOf) return node.anyOf.map(typeOf).join(" or ");
  if (node.format === "uuid" || node.format === "guid" || node.pattern?.includes("{12}")) return "GUID";
  return node.type ?? "any";
}

const defaultOf = (node: Schema): string =>
  node.default === undefined ? "(optional)" : `\`${JSON.stringify(node.default)}\``;
const cell = (text: string): string => text.replaceAll("|", "\\|");

if (import.meta.main) {
  for (const [path, text] of Object.entries(pages())) await writeFile(path, text);
}
