import { type ErrorCode, SyncError } from "../domain/error.ts";
import type { Pair } from "../domain/job.ts";
import type { SourceView } from "../domain/scope.ts";
import type { Because } from "../domain/skip-reason.ts";
import type { Hint } from "../messages/hint.ts";
import { BusUnavailable, type OutgoingMessage } from "../ports/bus.ts";
import type { DecisionLog } from "../ports/decision-log.ts";
import { StorageUnavailable } from "../ports/rows.ts";
import { readLink, type StoredLink } from "./claims.ts";
import { Deployment } from "./deployment.ts";
import { escrowPerson, retryAfterMs } from "./escrow.ts";
import { CLOCKS_DIFFER_MS, hintMessage } from "./hints.ts";
import { JobDesk } from "./job-state.ts";
import { LimitDesk } from "./limits.ts";
import { type Person, readSource } from "./look.ts";
import type { Outcome } from "./outcome.ts";
import { Pace } from "./pace.ts";
import { type Desk, reconcileUser } from "./reconcile-user.ts";
import { Recovery } from "./recovery.ts";
import { SeatDesk } from "./seats.ts";
import { securityEvent } from "./security-event.ts";
import { sendPatiently } from "./send-patiently.ts";
import type { World } from "./world.ts";

/** A bundle that was delivered this often is split, so that one person cannot hold up the others. */
const SPLIT_AT_DELIVERY = 3;
/** They come one after another: who kills the process would take along whoever is looked at beside them, again and again. */
const SPLIT_APART_MS = 1_000;
/** Those who keep failing are tried again within this time, each at a moment of their own. */
const RETRY_APART_MS = 20_000;
/** A single that was delivered this often becomes a visible failure before it is tried again. */
const VISIBLE_AT_DELIVERY = 5;

/** After a notification that showed no change. */
const RELOOKS_MS = [1_000, 2_000, 5_000, 12_000, 30_000];

/** Failures in a row that the tenant is not to blame for, before the person goes into escrow. */
const ATTEMPTS_MAX = 6;

const UNSEEN_SLOT_MS = 3_000;
const WAITS_FOR_REPLICAS: ReadonlySet<string> = new Set<Because>(["ownWriteNotSeenYet", "notFoundAtSource"]);

type Why = "again" | "counted" | "retry" | "split" | "relook";

/** Looks at the users of a hint, each in every pair of its source tenant, each with an outcome of its own. */
export class Reconciler {
  private readonly world: World;
  private readonly desk: Desk;

  constructor(world: World) {
    this.world = world;
    const paces = new Map<string, Pace>();
    const pace = (targetTenantId: string) => {
      const known = paces.get(targetTenantId) ?? new Pace(world, targetTenantId);
      paces.set(targetTenantId, known);
      return known;
    };
    this.desk = {
      world,
      pace,
      deployment: new Deployment(world),
      recovery: new Recovery(world),
      limits: new LimitDesk(world),
      jobs: new JobDesk(world),
      seats: new SeatDesk(world),
    };
  }

  /** Settles every person of the hint, or sends a new hint for whoever is not settled. Throws only when even that cannot be sent. */
  async reconcile(hint: Hint, delivery: number, log: DecisionLog): Promise<void> {
    const people = this.peopleOf(hint, log);
    if (hint.userIds.length > 1 && delivery >= SPLIT_AT_DELIVERY) return this.split(hint, people);
    if (hint.userIds.length === 1 && delivery >= VISIBLE_AT_DELIVERY) {
      await Promise.all(people.map((person) => this.makeVisible(person, hint, log)));
      return;
    }
    const messages: OutgoingMessage[] = [];
    await Promise.all(
      hint.userIds.map(async (userId) => {
        const ofUser = people.filter((person) => person.userId === userId);
        const outcomes = await this.outcomesOf(ofUser, hint, log);
        const relook = this.relook(hint, outcomes);
        for (const [index, person] of ofUser.entries()) {
          const outcome = outcomes[index] as Outcome;
          log.info("decision", decisionFields(person, outcome));
          const message =
            this.next(hint, person, outcome) ?? (relook && this.messageFor(hint, person, "relook", relook));
          if (message) messages.push(message);
        }
      }),
    );
    if (messages.length > 0) await sendPatiently(this.world, hint.lane, messages);
  }

  private peopleOf(hint: Hint, log: DecisionLog): Person[] {
    const pairs = pairsOf(this.world, hint);
    if (pairs.length === 0) log.warn("hint without a job", { sourceTenantId: hint.sourceTenantId, hintId: hint.id });
    return hint.userIds.flatMap((userId) => pairs.map((pair) => personOf(hint, pair, userId)));
  }

  /** One person in all their pairs: every link is read first, then the source once for all. */
  private async outcomesOf(people: readonly Person[], hint: Hint, log: DecisionLog): Promise<Outcome[]> {
    const { world } = this;
    const pairs = people.map(({ pair }) => pair);
    const links = await Promise.allSettled(people.map((person) => readLink(world, person)));
    let reading: Promise<SourceView> | undefined;
    const source = (userId: string) => {
      reading ??= readSource(world, userId, pairs, hint.lane);
      return reading;
    };
    return Promise.all(
      people.map(async (person, index) => {
        try {
          const link = links[index] as PromiseSettledResult<StoredLink>;
          if (link.status === "rejected") throw link.reason;
          const first = { stored: link.value, source: () => source(person.userId) };
          return await this.counted(await reconcileUser(this.desk, person, first), person, hint);
        } catch (error) {
          const outcome = await this.afterError(error, person, hint, log); // one person's trouble is nobody else's
          return this.counted(outcome, person, hint);
        }
      }),
    );
  }

  private async afterError(error: unknown, person: Person, hint: Hint, log: DecisionLog): Promise<Outcome> {
    const { chance } = this.world;
    if (error instanceof StorageUnavailable || error instanceof BusUnavailable) {
      return { kind: "again", because: error.name, afterMs: chance.between(5_000, 25_000) };
    }
    if (error instanceof SyncError) {
      if (error.code === "FOREIGN_LINK") securityEvent(log, "foreignLink", { tenantId: error.tenantId });
      if (error.blame === "object") return this.intoEscrow(person, error.code, error.detail);
      const wait = Math.max(error.afterMs ?? chance.between(2_000, 10_000), CLOCKS_DIFFER_MS);
      const afterMs = wait + chance.between(0, 1_000);
      return { kind: "again", because: error.code, afterMs, counted: error.isolated };
    }
    log.error("defect", { userId: person.userId, hintId: hint.id, error });
    if (hint.userIds.length === 1) throw error; // loudly: the host abandons it, and at the fifth time it becomes visible
    return { kind: "again", because: "defect", afterMs: 1_000 };
  }

  /** Calls about this person fail while the tenant answers others: some times in a row make it a failure of theirs. */
  private async counted(outcome: Outcome, person: Person, hint: Hint): Promise<Outcome> {
    if (outcome.kind !== "again" || !outcome.counted || hint.attempt + 1 < ATTEMPTS_MAX) return outcome;
    return this.intoEscrow(person, "KEEPS_FAILING", outcome.because);
  }

  private async intoEscrow(person: Person, code: ErrorCode, detail?: string): Promise<Outcome> {
    const escrow = await escrowPerson(this.world, person, code, detail);
    return { kind: "failed", code, escrow };
  }

  private async makeVisible(person: Person, hint: Hint, log: DecisionLog): Promise<void> {
    const code = "KEEPS_FAILING";
    const escrow = await escrowPerson(this.world, person, code, undefined, async (coming) => {
      const message = this.next(hint, person, { kind: "failed", code, escrow: coming });
      if (message) await sendPatiently(this.world, hint.lane, [message]);
    });
    log.error("decision", decisionFields(person, { kind: "failed", code, escrow }));
  }

  private async split(hint: Hint, people: readonly Person[]): Promise<void> {
    const messages = people.map((person, index) => this.messageFor(hint, person, "split", index * SPLIT_APART_MS));
    if (messages.length > 0) await sendPatiently(this.world, hint.lane, messages);
  }

  /**
   * Graph said that something changed, and nothing did: the replica that answered may not have seen it yet. Looked at again
   * at growing distance until every replica must have; the trailing look comes in any case.
   */
  private relook(hint: Hint, outcomes: readonly Outcome[]): number | undefined {
    const told = hint.lane === "changes" && (hint.reason === "notification" || hint.reason === "membership");
    if (!told || outcomes.some(({ kind }) => kind === "written")) return undefined;
    const joining = (outcome: Outcome) =>
      outcome.kind === "skipped" && outcome.because === "notAssigned" && hint.reason === "membership";
    // Writes to guests come back as notifications of the tenant that they are guests of: mostly our own.
    const guest = (outcome: Outcome) => "because" in outcome && outcome.because === "externalAtSource";
    const unseen = outcomes.some((outcome) => (outcome.kind === "unchanged" && !guest(outcome)) || joining(outcome));
    const inTime = this.world.clock.now() < hint.noticedAt + this.world.settings.replicationAllowanceMs;
    return unseen && inTime ? RELOOKS_MS[hint.attempt] : undefined;
  }

  /** Who is not settled is looked at again, singly, in the lane they came from. */
  private next(hint: Hint, person: Person, outcome: Outcome): OutgoingMessage | undefined {
    if (outcome.kind === "again" && WAITS_FOR_REPLICAS.has(outcome.because)) {
      // Several looks wait for the same replica: those that fall due together and trust the same are one.
      const now = this.world.clock.now();
      const afterMs = Math.max(outcome.afterMs, CLOCKS_DIFFER_MS);
      const dueAt = Math.ceil((now + afterMs) / UNSEEN_SLOT_MS) * UNSEEN_SLOT_MS;
      const trust = keepsReason(hint) ? hint.reason : "again";
      return this.messageFor(hint, person, "again", dueAt - now, undefined, `unseen:${dueAt}:${trust}:${hint.lane}`);
    }
    if (outcome.kind === "again") {
      const why = outcome.counted ? "counted" : "again";
      return this.messageFor(hint, person, why, outcome.afterMs, outcome.paidWrites);
    }
    if (outcome.kind !== "held" && outcome.kind !== "failed") return undefined;
    // Sweeps look at the person too; this hint is the promise that it happens even if nothing changes. One for each time.
    const { nextAt } = outcome.escrow;
    // Who failed at the same moment as one who kills the process was only beside them, and would be at every retry.
    const apart = outcome.escrow.code === "KEEPS_FAILING" ? this.world.chance.between(0, RETRY_APART_MS) : 0;
    const afterMs = retryAfterMs(nextAt, this.world.clock.now()) + apart;
    return this.messageFor(hint, person, "retry", afterMs, undefined, `escrow:${nextAt}`);
  }

  private messageFor(
    hint: Hint,
    person: Person,
    why: Why,
    afterMs: number,
    paidWrites?: number,
    from = hint.id,
  ): OutgoingMessage {
    const keeps = why === "split" || why === "relook" || keepsReason(hint);
    const content = {
      lane: hint.lane,
      sourceTenantId: hint.sourceTenantId,
      targetTenantId: person.pair.target.id,
      userIds: [person.userId],
      reason: keeps ? hint.reason : why === "retry" ? ("retry" as const) : ("again" as const),
      noticedAt: hint.noticedAt,
      attempt: Math.min(hint.attempt + (why === "again" || why === "split" ? 0 : 1), 1000),
      traceparent: hint.traceparent,
      ...(paidWrites === undefined ? {} : { paidWrites }),
    };
    return hintMessage(this.world, `${from}:${person.userId}:${person.pair.target.id}:${why}`, content, afterMs);
  }
}

/** Looks that trust no hash stay what they are until they are settled. */
const keepsReason = ({ reason }: Hint): boolean =>
  reason === "verify" || reason === "manager" || reason === "operator" || reason === "drift";

/** The pairs that a hint is about. */
export const pairsOf = (world: World, hint: Hint): readonly Pair[] =>
  world.rules.pairs.filter(
    ({ source, target }) =>
      source.id === hint.sourceTenantId && (hint.targetTenantId === undefined || target.id === hint.targetTenantId),
  );

export const personOf = (hint: Hint, pair: Pair, userId: string): Person => ({
  pair,
  userId,
  lane: hint.lane,
  reason: hint.reason,
  noticedAt: hint.noticedAt,
  paidWrites: hint.paidWrites ?? 0,
  attempt: hint.attempt,
});

const decisionFields = (person: Person, outcome: Outcome) => ({
  userId: person.userId,
  sourceTenantId: person.pair.source.id,
  targetTenantId: person.pair.target.id,
  reason: person.reason,
  outcome: outcome.kind,
  ...("because" in outcome ? { because: outcome.because } : {}),
  ...("code" in outcome ? { because: outcome.code } : {}),
  ...("targetId" in outcome ? { targetId: outcome.targetId, action: outcome.action } : {}),
  ...("afterMs" in outcome ? { afterMs: Math.round(outcome.afterMs) } : {}),
  ...("escrow" in outcome ? { nextAt: outcome.escrow.nextAt } : {}),
});
