import { renameSync, writeFileSync } from "node:fs";
import { relative } from "node:path";

/** `endpoints.json`: everything that a client needs to reach the local cloud. Paths are relative to the checkout when they lie in it. */
export interface Endpoints {
  version: 1;
  caFile: string;
  configFile: string;
  tenants: readonly {
    name: string;
    id: string;
    cloud: string;
    domain: string;
    graph: string;
    login: string;
    /** Client credentials grant; full rights in this tenant, for people and scripts. */
    client: { id: string; secret: string };
  }[];
  app: {
    url: string;
    publicUrl: string;
    /** Root of the admin API. */
    admin: string;
    /** A client with every app role of the admin API. */
    token: { url: string; clientId: string; clientSecret: string; scope: string };
    /** Clients that stand for people with one app role each; same token address and scope. */
    people: readonly { name: string; roles: readonly string[]; clientId: string; clientSecret: string }[];
  };
  storage: string;
  serviceBus: string;
  control: string;
  processes: readonly { name: string; pid: number; killable: boolean }[];
}

/** Whole or not at all: a reader never sees half a file. It holds secrets of the sandbox: for its owner only. */
export function writeEndpoints(file: string, endpoints: Endpoints): void {
  writeFileSync(`${file}.new`, `${JSON.stringify(endpoints, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

export function shownPath(checkout: string, file: string): string {
  const path = relative(checkout, file);
  return path.startsWith("..") ? file : path;
}
