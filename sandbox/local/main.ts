import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { buildApp } from "../../tools/build.ts";
import type { ImportedUsers } from "../organization/exports.ts";
import { type LocalCloud, startCloud } from "./cloud.ts";
import { readOptions, type StartOptions, USAGE, UsageError } from "./options.ts";
import { play } from "./play.ts";

/** `npm start`: builds the app, starts the local cloud, plays a day, stays up until Ctrl-C. */
const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
const INTERRUPTED = 130;
const WRONG_USAGE = 2;

const say = (text: string) => process.stdout.write(`${text}\n`);

let cloud: LocalCloud | undefined;
let ending = false;
/** The second Ctrl-C does not wait: the children end by themselves when their parent is gone. */
const end = async (code: number) => {
  if (ending) process.exit(code);
  ending = true;
  await cloud?.stop();
  process.exit(code);
};
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    end(INTERRUPTED).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}

function fail(error: unknown): void {
  if (ending) return; // what was under way breaks off when everything is being stopped
  const wrongUsage = error instanceof UsageError;
  console.error(wrongUsage ? `${error.message}\n\n${USAGE}` : error instanceof Error ? error.message : error);
  end(wrongUsage ? WRONG_USAGE : 1).catch(() => process.exit(1));
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    say(USAGE);
    return;
  }
  await buildApp(`${CHECKOUT}functions`, `${CHECKOUT}dist`);
  say("Starting the local cloud …");
  const folder = process.env.SANDBOX_FOLDER;
  cloud = await startCloud({ ...options, ...(folder !== undefined && { folder }) });
  // What it had acknowledged is gone with it: a cloud that goes on would be wrong without saying so.
  cloud.supervisor.onLost((what) => fail(new Error(`The local cloud stops: ${what}.`)));
  introduce(cloud, options);
  if (cloud.imported && options.usersFile !== undefined) tellImported(cloud.imported, options.usersFile);
  const right = options.idle || (await play(cloud, process.stdout));
  if (options.once) return end(right ? 0 : 1);
  say("Up until Ctrl-C.");
}

function introduce({ endpoints, folder, pace }: LocalCloud, options: StartOptions): void {
  const { app, tenants, control } = endpoints;
  say(`${options.people} people, seed ${options.seed}, ${options.instances} instance(s) of the app.`);
  for (const { name, cloud: kind, graph } of tenants) say(`  ${name.padEnd(16)} ${kind.padEnd(8)} ${graph}`);
  say(`  app              ${app.url}  ${app.publicUrl}`);
  say(`  control          ${control}`);
  say(`  admin API        ${app.admin}`);
  const people = app.people.map(({ name, roles }) => `${name} (${roles.join(", ")})`).join(", ");
  say(`                   npx cross-cloud-sync status --sandbox carol; there are ${people}`);
  say(`  everything       ${relative(process.cwd(), folder) || "."}/endpoints.json; logs beside it in logs/`);
  const { REPLICATION_ALLOWANCE_SECONDS: seconds } = pace.settings;
  say(`The app allows ${seconds} s for the replicas of a tenant to agree; its default is 90 s.`);
}

/** Every row that could not be used and everything that was changed: nobody of an export is dropped silently. */
function tellImported({ people, refused, notes }: ImportedUsers, usersFile: string): void {
  say(`From ${usersFile}: ${people.length} users; ${refused.length} rows cannot be used.`);
  for (const { where, who, reason } of refused) say(`  ${where}, ${who}: ${reason}`);
  if (notes.length > 0) say("Changed or guessed:");
  for (const note of notes) say(`  ${note}`);
}

main().catch(fail);
