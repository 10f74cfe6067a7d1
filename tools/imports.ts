/** Which folder may import which: imports point inward. The test of tidiness reads this table. */
export const IMPORTS: Readonly<Record<string, { folders: readonly string[]; packages: readonly string[] }>> = {
  // A package here only computes: no clock, no chance, no world.
  "shared/domain": { folders: [], packages: ["re2js"] },
  "shared/messages": { folders: ["shared/domain"], packages: ["zod"] },
  "shared/ports": { folders: ["shared/domain", "shared/messages"], packages: [] },
  "shared/config": { folders: ["shared/domain"], packages: ["zod", "node:"] },
  "shared/pipeline": {
    folders: ["shared/domain", "shared/ports", "shared/messages"],
    packages: ["zod", "node:crypto"],
  },
  "shared/admin": {
    folders: ["shared/domain", "shared/ports", "shared/messages", "shared/pipeline"],
    packages: ["zod"],
  },
  "shared/adapters/graph": {
    folders: ["shared/domain", "shared/ports"],
    packages: [
      "@azure/identity",
      "@microsoft/microsoft-graph-client",
      "@microsoft/microsoft-graph-types",
      "zod",
      "node:",
    ],
  },
  "shared/adapters/servicebus": {
    folders: ["shared/ports", "shared/messages"],
    packages: ["@azure/service-bus", "@azure/identity", "node:"],
  },
  "shared/adapters/tables": { folders: ["shared/ports"], packages: ["@azure/data-tables", "@azure/identity", "node:"] },
  "shared/adapters/entra": { folders: ["shared/ports"], packages: ["jose", "zod"] },
  "shared/adapters/telemetry": { folders: ["shared/ports"], packages: [] },
  "shared/adapters/system": { folders: ["shared/ports"], packages: ["node:"] },
  // Offline: no tenant, no network.
  "cli/offline": {
    folders: ["shared/domain", "shared/config", "shared/pipeline/holdings", "cli/files", "cli/exit-code"],
    packages: ["commander", "zod", "node:fs", "node:path", "node:url", "node:crypto"],
  },
  // Online: the admin API over HTTP, and nothing of the product itself.
  "cli/online": { folders: ["cli/exit-code"], packages: ["commander", "zod", "@azure/identity", "node:"] },
  cli: {
    folders: ["shared/domain", "shared/config", "shared/pipeline/holdings"],
    packages: ["commander", "zod", "@azure/identity", "node:"],
  },
  functions: { folders: ["shared/messages", "shared/pipeline", "shared/wire"], packages: ["@azure/functions"] },
};
