import type { Knobs } from "../graph/api.ts";

/**
 * What the local cloud and the process of the Graph tenants (`graph-process.ts`) say to each other: this as argument 1, as
 * JSON. The process makes the organization and populates the tenants from the same seed as the cloud does.
 */
export interface GraphProcessOptions {
  seed: number;
  people: number;
  /** More people, computed, by tenant name. */
  computedUsers?: Readonly<Record<string, number>>;
  /** A real export that fills a source tenant. */
  usersFile?: string;
  /** The configuration that `GET /differences` compares with. */
  configFile: string;
  /** Certificate and key of the HTTPS addresses, PEM. */
  serverCert: string;
  serverKey: string;
  /** By tenant name: the certificate that the app's registration trusts, PEM. */
  appCertificates: Readonly<Record<string, string>>;
  knobs: Partial<Knobs>;
  /** HAR 1.2 of all traffic, without tokens and secrets. */
  recordFile?: string;
}

/** Its report when every address answers. */
export interface GraphReport {
  tenants: readonly { name: string; id: string; graph: string; login: string }[];
  control: string;
}

/** `GET /differences` on `control`: everybody in every target against what the jobs say. */
export interface DifferencesAnswer {
  /** People whose every target is as the jobs say, of so many, in so many targets. */
  right: number;
  people: number;
  targets: number;
  /** One sentence each. */
  differences: readonly string[];
}
