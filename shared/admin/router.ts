import * as z from "zod";
import { type AdminRole, covers, type Principal, principalName, principalOf } from "../domain/admin.ts";
import { ERRORS, SyncError } from "../domain/error.ts";
import { didYouMean } from "../domain/mapping/expression/near-miss.ts";
import { inForce, type Standing } from "../pipeline/deployment.ts";
import type { Receiver } from "../pipeline/receive.ts";
import type { World } from "../pipeline/world.ts";
import { type AccessTokens, KeysUnavailable } from "../ports/access-tokens.ts";
import { BusUnavailable } from "../ports/bus.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { appendAudit, readAudit, verifyAudit } from "./audit.ts";
import { COMMANDS } from "./commands.ts";
import { heldSet, heldSets } from "./held-sets.ts";
import { type AdminRequest, BODY_BYTES_MAX, bodyOf, parsed, queryOf } from "./input.ts";
import { jobsView } from "./job-commands.ts";
import { type AdminAnswer, AdminError, answer, problem } from "./problem.ts";
import { RateLimit } from "./rate-limit.ts";
import { orphansView, recoveryView } from "./recovery.ts";
import { AuditQuery, peopleWaiting, provisioningLog, requestsView, statusView, time } from "./views.ts";

/** A call whose sender is known. */
interface Call {
  running: Receiver;
  principal: Principal;
  query: Record<string, string>;
}

const VerifyQuery = z
  .strictObject({
    seq: z.coerce.number().int().min(1).optional(),
    hash: z
      .string()
      .regex(/^[\w-]{43}$/)
      .optional(),
  })
  .refine(({ seq, hash }) => (seq === undefined) === (hash === undefined), "seq and hash go together");

/** The admin API of this process. */
export class Admin {
  private readonly own: Receiver;
  private readonly tokens: AccessTokens | undefined;
  private readonly limit = new RateLimit();
  private readonly reads: Readonly<Record<string, (call: Call) => Promise<object>>> = {
    status: ({ running, principal, query }) => {
      parsed(z.strictObject({}), query);
      return this.status(running.world, principal);
    },
    held: ({ running, principal, query }) => peopleWaiting(running.world, principal, query, true),
    escrows: ({ running, principal, query }) => peopleWaiting(running.world, principal, query, false),
    "held/sets": ({ running, principal, query }) => heldSets(running.world, principal, query),
    "held/set": ({ running, principal, query }) => heldSet(running.world, principal, query),
    jobs: ({ running, principal, query }) => jobsView(running.world, principal, query),
    orphans: ({ running, principal, query }) => orphansView(running.world, principal, query),
    log: ({ running, principal, query }) => provisioningLog(running.world, principal, query),
    requests: ({ running, principal, query }) => requestsView(running.world, principal, query),
    commands: async () => ({
      items: [...COMMANDS.values()].map(({ name, role, summary }) => ({ name, role, summary })),
    }),
    audit: async ({ running, principal, query }) => {
      wholeDeployment(principal);
      const { from, limit } = parsed(AuditQuery, query);
      const rows = await readAudit(running.world, from, limit);
      return { items: rows.map((row) => ({ ...row, at: time(row.at) })) };
    },
    "audit/verify": ({ running, principal, query }) => {
      wholeDeployment(principal);
      const { seq, hash } = parsed(VerifyQuery, query);
      return verifyAudit(running.world, seq === undefined || hash === undefined ? undefined : { seq, hash });
    },
  };

  /** `tokens` absent: the settings name nobody who could call. */
  constructor(own: Receiver, tokens: AccessTokens | undefined) {
    this.own = own;
    this.tokens = tokens;
  }

  /** Throws only for a defect of ours. */
  async answer(request: AdminRequest, log: DecisionLog): Promise<AdminAnswer> {
    try {
      return await this.handle(request, log);
    } catch (error) {
      if (error instanceof AdminError) return problem(error);
      if (error instanceof SyncError) {
        const { meaning, remedy } = ERRORS[error.code];
        return problem(new AdminError("REFUSED", { detail: `${error.code}: ${meaning} ${remedy}` }));
      }
      if (error instanceof KeysUnavailable) return problem(new AdminError("SIGN_IN_UNAVAILABLE"));
      if (error instanceof StorageUnavailable || error instanceof BusUnavailable) {
        log.warn("admin call not answered", { because: error.name });
        return problem(new AdminError("UNAVAILABLE"));
      }
      throw error;
    }
  }

  private async handle(request: AdminRequest, log: DecisionLog): Promise<AdminAnswer> {
    if (request.path === "health" && request.method === "GET") return answer(200, { status: "ok" });
    if (Number(request.headers.get("content-length") ?? 0) > BODY_BYTES_MAX) throw new AdminError("TOO_LARGE");
    const caller = await this.authenticate(request.headers.get("authorization"));
    const name = `${caller.tenantId}/${caller.objectId}`;
    const wait = this.limit.take(name, this.own.world.clock.now());
    if (wait > 0) throw new AdminError("TOO_MANY_CALLS", { retryAfterSeconds: wait });
    await this.own.world.ready();
    const running = await inForce(this.own);
    const principal = principalOf(caller, running.world.rules.adminScopes);
    if (principal.roles.size === 0) throw new AdminError("ROLE_MISSING");
    const commandName = /^commands\/([^/]{1,100})$/.exec(request.path)?.[1];
    if (commandName !== undefined) return this.command(request, commandName, running.world, principal, log);
    const read = Object.hasOwn(this.reads, request.path) ? this.reads[request.path] : undefined;
    if (!read) throw new AdminError("NOT_FOUND", { detail: hint(request.path, Object.keys(this.reads)) });
    if (request.method !== "GET") throw new AdminError("METHOD_NOT_ALLOWED");
    return answer(200, await read({ running, principal, query: queryOf(request) }));
  }

  private async authenticate(authorization: string | null) {
    if (!this.tokens) throw new AdminError("NOT_CONFIGURED");
    const token = /^Bearer +([\w.~+/-]+=*)$/i.exec(authorization ?? "")?.[1];
    const caller = token === undefined ? undefined : await this.tokens.verify(token);
    if (!caller) throw new AdminError("UNAUTHENTICATED");
    return caller;
  }

  /** Whether it may be done is known before it is written down, and it is written down before it is done. */
  private async command(request: AdminRequest, name: string, world: World, principal: Principal, log: DecisionLog) {
    const command = COMMANDS.get(name);
    if (!command) throw new AdminError("NOT_FOUND", { detail: hint(name, COMMANDS.keys()) });
    if (request.method !== "POST") throw new AdminError("METHOD_NOT_ALLOWED");
    needsRole(principal, command.role);
    const body = await bodyOf(request);
    const { about, subjects, run } = await command.prepare(world, principal, body);
    if (about.length === 0) wholeDeployment(principal);
    if (!about.every((subject) => covers(principal, subject))) throw new AdminError("OUT_OF_SCOPE");
    const entry = { who: principalName(principal), appId: principal.appId, verb: name, subjects };
    const { seq } = await appendAudit(world, entry, log);
    return answer(200, { ...(await run()), audit: seq });
  }

  /** Of what runs, and whether this instance has another configuration that waits. */
  private async status(running: World, principal: Principal): Promise<object> {
    const standing = await this.own.deployment.standing();
    const configuration = configurationView(running, this.own.world, standing, principal);
    return { ...(await statusView(running, principal, configuration)), ...(await recoveryView(running, principal)) };
  }
}

function configurationView(running: World, own: World, standing: Standing, principal: Principal): object {
  if (standing.kind !== "waits") return { state: standing.kind, revision: running.rules.revision };
  const weakenings = standing.weakenings.filter((weakening) => covers(principal, weakening));
  return {
    state: "waits",
    says: standing.previous
      ? "The previous configuration keeps running until somebody with Sync.Approve has accepted the new one."
      : "The previous configuration is lost: nothing is written until somebody with Sync.Approve has accepted the new one.",
    revision: running.rules.revision,
    waiting: own.rules.revision,
    weakenings,
    requests: standing.requests.filter((id) =>
      standing.weakenings.some(
        (weakening) => covers(principal, weakening) && id.endsWith(`:${weakening.targetTenantId ?? "all"}`),
      ),
    ),
  };
}

function needsRole(principal: Principal, role: AdminRole): void {
  if (!principal.roles.has(role)) throw new AdminError("ROLE_MISSING", { detail: `It takes ${role}.` });
}

function wholeDeployment(principal: Principal): void {
  if (!covers(principal, {})) throw new AdminError("OUT_OF_SCOPE");
}

const hint = (name: string, known: Iterable<string>): string =>
  `There is no ${JSON.stringify(name.slice(0, 60))}.${didYouMean(name, known)}`;
