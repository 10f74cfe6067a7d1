import { type Command, Option } from "commander";
import * as z from "zod";
import { EXIT, UsageError } from "../exit-code.ts";
import { type Answer, call, known, NotDone } from "./client.ts";
import { plain, type TenantNames, table, told } from "./render.ts";
import { type Connection, type ConnectionOptions, connectionOf } from "./token.ts";
import { jobsText, namesIn, statusText } from "./views.ts";

/** Commands that speak to a running app, and to nothing but its admin API. */

type Options = ConnectionOptions & Readonly<Record<string, string | boolean | undefined>>;

/** Adds the options that say which app is meant and who asks. */
function online(command: Command): Command {
  return command
    .option("--app <url>", "address of the app; or CROSS_CLOUD_SYNC_APP")
    .option("--audience <id>", "client id or URI of the app registration; or CROSS_CLOUD_SYNC_AUDIENCE")
    .option("--token <token>", "an access token; better in CROSS_CLOUD_SYNC_TOKEN, which no list of processes shows")
    .option("--sandbox <name>", "the local cloud, as one of its people: alice, bob or carol")
    .addOption(new Option("--json", "one line of JSON an item"))
    .hook("preAction", (_, leaf) => {
      // Also where it stands before the command.
      leaf.setOptionValue("json", leaf.optsWithGlobals().json);
    });
}

/** Asks, prints, and tells a refusal without a stack. */
async function run({ json }: Options, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof NotDone)) throw error;
    process.exitCode = error.exitCode;
    const { code, message, remedy, mistakes } = error.refusal;
    if (json) {
      process.stdout.write(`${JSON.stringify({ error: error.refusal })}\n`);
      return;
    }
    process.stderr.write(`${plain(code)}: ${plain(message)}\n`);
    for (const { path, problem } of mistakes ?? []) process.stderr.write(`  ${plain(path)}: ${plain(problem)}\n`);
    if (remedy !== undefined) process.stderr.write(`${plain(remedy)}\n`);
  }
}

const tenantNames = async (connection: Connection): Promise<TenantNames> =>
  namesIn(await call(connection, "GET", "status", {}));

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

const Row = z.record(z.string(), z.unknown());
const Page = z.object({ items: z.array(Row), cursor: z.string().nullish() });
const PAGE_MAX = 200;

/** Throws `UsageError` for what is no number of items. */
function limitOf(given: string | boolean | undefined): number {
  const most = Number(given);
  if (Number.isInteger(most) && most > 0) return most;
  throw new UsageError(`--limit ${given}: give a whole number from 1.`);
}

/** A list, page after page until `--limit` items were shown. */
function addList(
  parent: Command,
  name: string,
  path: string,
  summary: string,
  filters: readonly [string, string][],
): void {
  const command = online(parent.command(name).description(summary)).option("--limit <n>", "so many at most", "200");
  for (const [flag, what] of filters) command.option(flag, what);
  command.action((options: Options) =>
    run(options, async () => {
      const most = limitOf(options.limit);
      const connection = connectionOf(options, process.env);
      const names = filters.map(([flag]) => /--(\w+)/.exec(flag)?.[1] ?? "");
      const query = Object.fromEntries(names.map((filter) => [filter, text(options[filter])]));
      const items: Answer[] = [];
      let cursor: string | undefined;
      do {
        const limit = String(Math.min(PAGE_MAX, most - items.length));
        const content = path === "held/sets" ? {} : { ...query, limit, cursor };
        const page = known(Page, await call(connection, "GET", path, content));
        items.push(...page.items);
        cursor = page.cursor ?? undefined;
      } while (cursor !== undefined && items.length < most);
      if (options.json) for (const item of items) process.stdout.write(`${JSON.stringify(item)}\n`);
      else process.stdout.write(told(items, await tenantNames(connection)));
      if (cursor !== undefined) process.stderr.write("There is more: raise --limit.\n");
    }),
  );
}

function show({ json }: Options, answer: Answer): void {
  process.stdout.write(`${JSON.stringify(answer, null, json ? undefined : 2)}\n`);
}

function addAct(
  command: Command,
  name: string,
  bodyOf: (options: Options, args: readonly string[]) => Record<string, string | undefined>,
) {
  online(command).action((...given: unknown[]) => {
    const options = given.at(-2) as Options;
    const args = given.slice(0, -2).map(String);
    return run(options, async () =>
      show(options, await call(connectionOf(options, process.env), "POST", `commands/${name}`, bodyOf(options, args))),
    );
  });
}

const PAIR: readonly [string, string][] = [
  ["--source <tenant>", "only from this source, by name or id"],
  ["--target <tenant>", "only in this target"],
];

export function addOnline(program: Command): void {
  online(program.command("status").description("the configuration in force, the kill switch, jobs and sources")).action(
    (options: Options) =>
      run(options, async () => {
        const answer = await call(connectionOf(options, process.env), "GET", "status", {});
        if (options.json) show(options, answer);
        else process.stdout.write(statusText(answer));
      }),
  );
  addHeld(program);
  addJobs(program);
  addList(program, "escrows", "escrows", "people whose last attempt failed, and when they are tried again", PAIR);
  addList(program, "log", "log", "the provisioning log of a day, newest first", [
    ...PAIR,
    ["--day <date>", "YYYY-MM-DD in UTC; today unless said"],
    ["--status <status>", "success, failure, skipped or warning"],
    ["--user <id>", "object id of the source user"],
  ]);
  const orphans = program.command("orphans").description("whom nobody owns any more");
  addList(orphans, "list", "orphans", "users of the targets with our stamp whom no link knows", []);
  const requests = program.command("requests").description("what one asks and somebody else decides");
  addList(requests, "list", "requests", "requests within your scope", [
    ["--state <state>", "open, approved, rejected or void"],
  ]);
  addDecisions(program);
  addActs(program);
  addAudit(program);
}

const HeldSet = z.object({ set: Row, members: z.array(Row) });

function addHeld(program: Command): void {
  const held = program.command("held").description("what waits because a limit or a rule holds it");
  addList(held, "list", "held/sets", "sets of removals and creations past a limit", []);
  addList(held, "people", "held", "people whom a rule holds, and what to do", PAIR);
  const set = (command: Command) => command.argument("<job>", "id of the job").argument("<set>", "id of the set");
  online(set(held.command("show").description("one set and its people"))).action(
    (job: string, id: string, options: Options) =>
      run(options, async () => {
        const connection = connectionOf(options, process.env);
        const answer = known(HeldSet, await call(connection, "GET", "held/set", { job, set: id }));
        if (options.json) return show(options, answer);
        process.stdout.write(`${told([answer.set], await tenantNames(connection))}\n${table(answer.members)}`);
      }),
  );
  for (const [name, summary] of [
    ["approve", "lets that set go on"],
    ["reject", "refuses that set"],
  ] as const) {
    const command = set(held.command(name).description(summary));
    command.requiredOption("--count <n>", "people in the set, as you looked at it");
    addAct(command, `held-${name}`, (options, [job, id]) => ({ job, set: id, count: text(options.count) }));
  }
}

function addJobs(program: Command): void {
  const jobs = program.command("job").description("how jobs are, and what people do with them");
  online(
    jobs.command("list").description("every job: stopped or not, why, and who is left behind by those that are gone"),
  ).action((options: Options) =>
    run(options, async () => {
      const connection = connectionOf(options, process.env);
      const answer = await call(connection, "GET", "jobs", {});
      if (options.json) show(options, answer);
      else process.stdout.write(jobsText(answer, await tenantNames(connection)));
    }),
  );
  const one = (name: string, summary: string) =>
    jobs.command(name).description(summary).argument("<job>", "id of the job");
  const pause = one("pause", "nothing is written for it until it is started");
  addAct(
    pause.requiredOption("--reason <text>", "kept with the job; no names of people"),
    "job-pause",
    (options, [job]) => ({ job, reason: text(options.reason) }),
  );
  addAct(one("start", "goes on, and lifts a quarantine"), "job-start", (_, [job]) => ({ job }));
  const restart = one("restart", "reads everybody anew, tries who failed, lifts a quarantine");
  addAct(
    restart.option("--reset <scopes>", "Watermark, Escrows, QuarantineState, ConnectorDataStore, Full; with commas"),
    "job-restart",
    (options, [job]) => ({ job, reset: text(options.reset) }),
  );
  addAct(one("force-deletes", "approves every removal that waits"), "job-force-deletes", (_, [job]) => ({ job }));
  const redrive = program.command("redrive").description("tries everybody now whose messages had given up");
  addAct(redrive.argument("<job>", "id of the job"), "redrive", (_, [job]) => ({ job }));
}

function addDecisions(program: Command): void {
  for (const [name, summary] of [
    ["approve", "agrees to a request of somebody else"],
    ["reject", "refuses a request"],
  ] as const) {
    const command = program.command(name).description(summary).argument("<id>", "as `requests list` shows it");
    addAct(command.option("--note <text>", "kept with the request"), name, (options, [id]) => ({
      id,
      note: text(options.note),
    }));
  }
}

function addActs(program: Command): void {
  const kill = program.command("kill").description("the kill switch: while it is on, nothing is written to any target");
  const reason = ["--reason <text>", "kept with the switch; no names of people"] as const;
  addAct(
    kill
      .command("on")
      .description("at once")
      .requiredOption(...reason),
    "kill-on",
    (options) => ({
      reason: text(options.reason),
    }),
  );
  addAct(
    kill
      .command("off")
      .description("asks for it; a second person approves")
      .requiredOption(...reason),
    "kill-off",
    (options) => ({ reason: text(options.reason) }),
  );
  const person = (command: Command) =>
    command
      .requiredOption("--source <tenant>", "the source tenant, by name or id")
      .requiredOption("--user <id>", "object id of the source user");
  const bodyOf = (options: Options) => ({
    source: text(options.source),
    target: text(options.target),
    user: text(options.user),
  });
  const retry = person(program.command("retry").description("tries a person in escrow again now"));
  addAct(retry.requiredOption("--target <tenant>", "the target tenant"), "retry", bodyOf);
  const look = person(program.command("look").description("looks at one person now, whatever is remembered"));
  addAct(look.option("--target <tenant>", "only in this target"), "look", bodyOf);
  const links = program.command("links").description("which source user a target user stands for");
  const transfer = links.command("transfer").description("hands a target user over to the source user who came after");
  transfer
    .argument("<from>", "object id of the source user who is gone")
    .argument("<to>", "object id of the one who came after")
    .requiredOption("--source <tenant>", "the source tenant, by name or id")
    .requiredOption("--target <tenant>", "the target tenant")
    .addOption(new Option("--same-person", "hired again: keeps the guest").conflicts("newPerson"))
    .addOption(new Option("--new-person", "somebody else has the address now: gets a guest of their own"));
  addAct(transfer, "links-transfer", (options, [from, to]) => {
    if (!options.samePerson && !options.newPerson) throw new UsageError("Say --same-person or --new-person.");
    const how = options.samePerson ? "samePerson" : "newPerson";
    return { source: text(options.source), target: text(options.target), from, to, how };
  });
  addAct(
    links.command("rebuild").description("makes links anew from the stamps in the targets; adds what is missing"),
    "links-rebuild",
    () => ({}),
  );
  const sweep = program.command("sweep").description("reading of the sources");
  const now = sweep.command("now").description("reads the changes now");
  now
    .addOption(new Option("--full", "everybody in the sources, compared with the links").conflicts("drift"))
    .addOption(new Option("--drift", "everybody in the targets, compared with the links"));
  addAct(now.option("--source <tenant>", "only of this source"), "sweep", (options) => ({
    source: text(options.source),
    pass: options.full ? "full" : options.drift ? "drift" : undefined,
  }));
}

function addAudit(program: Command): void {
  const audit = program.command("audit").description("what people did");
  const list = online(audit.command("list").description("entries, oldest first"));
  list.option("--from <n>", "from this number on", "1").action((options: Options) =>
    run(options, async () => {
      const query = { from: text(options.from), limit: String(PAGE_MAX) };
      const { items } = known(Page, await call(connectionOf(options, process.env), "GET", "audit", query));
      if (options.json) for (const item of items) process.stdout.write(`${JSON.stringify(item)}\n`);
      else process.stdout.write(table(items));
      if (items.length === PAGE_MAX) process.stderr.write("There may be more: go on with --from.\n");
    }),
  );
  const verify = online(audit.command("verify").description("finds an entry that was changed, taken out or moved"));
  verify
    .option("--seq <n>", "a number that the app's own log told")
    .option("--hash <hash>", "and its hash")
    .action((options: Options) =>
      run(options, async () => {
        const query = { seq: text(options.seq), hash: text(options.hash) };
        const verdict = await call(connectionOf(options, process.env), "GET", "audit/verify", query);
        show(options, verdict);
        if (verdict.kind !== "sound") process.exitCode = EXIT.refused;
      }),
    );
}
