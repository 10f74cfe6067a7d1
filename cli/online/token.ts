import { readFileSync } from "node:fs";
import { request } from "node:https";
import { basename, resolve } from "node:path";
import * as z from "zod";
import { UsageError } from "../exit-code.ts";

/** Where the app is and who asks, from options and environment. */
export interface Connection {
  /** Root of the admin API, without a slash at the end. */
  root: string;
  /** An access token; never shown. */
  token(): Promise<string>;
}

export interface ConnectionOptions {
  app?: string;
  token?: string;
  audience?: string;
  sandbox?: string;
}

const API = "/api/manage";

/** Throws `UsageError` when nothing says where the app is, or a token would go over an open line. */
export function connectionOf(options: ConnectionOptions, environment: NodeJS.ProcessEnv): Connection {
  if (options.sandbox !== undefined) return sandboxConnection(options.sandbox, environment);
  const app = options.app ?? environment.CROSS_CLOUD_SYNC_APP;
  if (app === undefined || app === "")
    throw new UsageError(
      "Say where the app is: --app https://…, or CROSS_CLOUD_SYNC_APP. For the sandbox: --sandbox NAME.",
    );
  const url = URL.canParse(app) ? new URL(app) : undefined;
  const local = url?.protocol === "http:" && (url.hostname === "127.0.0.1" || url.hostname === "localhost");
  if (!url || (url.protocol !== "https:" && !local)) throw new UsageError(`--app ${app}: give an https address.`);
  const base = url.href.replace(/[?#].*$/, "").replace(/\/+$/, "");
  const given = options.token ?? environment.CROSS_CLOUD_SYNC_TOKEN;
  return {
    root: base.endsWith(API) ? base : `${base}${API}`,
    token: async () => given ?? (await signedIn(options.audience ?? environment.CROSS_CLOUD_SYNC_AUDIENCE)),
  };
}

/** As whoever is signed in on this machine: the Azure CLI, a managed identity, the environment. */
async function signedIn(audience: string | undefined): Promise<string> {
  if (audience === undefined)
    throw new UsageError(
      "Say whose token is wanted: --audience api://…, or CROSS_CLOUD_SYNC_AUDIENCE; or bring one in CROSS_CLOUD_SYNC_TOKEN.",
    );
  const { DefaultAzureCredential } = await import("@azure/identity");
  const scope = audience.includes("://") ? audience : `api://${audience}`;
  const { token } = await new DefaultAzureCredential().getToken(`${scope.replace(/\/\.default$/, "")}/.default`);
  return token;
}

const Endpoints = z.object({
  caFile: z.string(),
  app: z.object({
    admin: z.string(),
    token: z.object({ url: z.string(), scope: z.string() }),
    people: z.array(z.object({ name: z.string(), clientId: z.string(), clientSecret: z.string() })),
  }),
});

/** One of the people of the local cloud. */
function sandboxConnection(name: string, environment: NodeJS.ProcessEnv): Connection {
  const folder = environment.SANDBOX_FOLDER ?? ".sandbox";
  const file = resolve(folder, "endpoints.json");
  const { app, caFile } = readEndpoints(file);
  const authority = resolve(folder, basename(caFile)); // beside it, wherever this is run
  const person = app.people.find((one) => one.name === name);
  if (!person) throw new UsageError(`--sandbox ${name}: there are ${app.people.map((one) => one.name).join(", ")}.`);
  const form = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: person.clientId,
    client_secret: person.clientSecret,
    scope: app.token.scope,
  });
  return {
    root: app.admin,
    token: async () => {
      const answer = await post(app.token.url, form.toString(), readFileSync(authority));
      return z.object({ access_token: z.string() }).parse(JSON.parse(answer)).access_token;
    },
  };
}

function readEndpoints(file: string): z.infer<typeof Endpoints> {
  try {
    return Endpoints.parse(JSON.parse(readFileSync(file, "utf8")));
  } catch {
    throw new UsageError(`${file} cannot be read: is the local cloud up (npm start)?`);
  }
}

/** `fetch` knows no certificate authority but the machine's. */
export function post(url: string, body: string, ca: Buffer): Promise<string> {
  return new Promise((done, fail) => {
    const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": Buffer.byteLength(body) };
    const sent = request(url, { method: "POST", ca, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => done(Buffer.concat(chunks).toString()));
      response.on("error", fail);
    });
    sent.on("error", fail);
    sent.end(body);
  });
}
