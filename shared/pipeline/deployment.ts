import { SyncError } from "../domain/error.ts";
import { told, type Weakening } from "../domain/weakening.ts";
import type { StoredRow } from "../ports/rows.ts";
import { killSwitchMustNotBeSeen } from "./kill-switch.ts";
import { openRequest, requestState } from "./requests.ts";
import type { AcceptedConfiguration, World } from "./world.ts";

const PARTITION = "configuration";
const ACCEPTED = "accepted";
/** An instance learns within this time that another one runs a newer configuration, or that its own was approved. */
const BELIEVED_MS = 1_000;
/** Replaced revisions that are remembered. */
const REMEMBERED = 200;
const WEEK_MS = 7 * 24 * 3_600_000;

const CONFIGURATION = "configuration";

/** The accepted configuration was lost with its table: nobody can say that another one weakens nothing. */
const NOT_ON_RECORD: readonly Weakening[] = [
  {
    path: "configuration",
    what: "the accepted configuration is not on record any more: nothing can be compared with it",
  },
];

/** Where this instance's configuration stands. `waits`: the previous one keeps running until somebody has agreed. */
export type Standing =
  | { kind: "accepted" }
  | { kind: "superseded" }
  | {
      kind: "waits";
      /** `undefined`: it is not on record any more, so that nothing is written meanwhile. */
      previous: PreviousConfiguration | undefined;
      weakenings: readonly Weakening[];
      requests: readonly string[];
    };

export interface PreviousConfiguration {
  revision: string;
  /** The configuration itself, as JSON. */
  text: string;
}

/**
 * Which configuration may write: the one that came last, unless it weakens a protection; then the last accepted one, until
 * a second person has agreed for every target concerned. A revision that was seen before and replaced stays replaced, so that
 * an old instance which restarts in the middle of a roll-out does not take over again.
 */
export class Deployment {
  private readonly world: World;
  private checked: { at: number; standing: Promise<Standing> } | undefined;
  private previous: PreviousConfiguration | undefined;

  constructor(world: World) {
    this.world = world;
  }

  /** Throws `CONFIG_SUPERSEDED` when another configuration is in force, `KILL_SWITCH_ON` when nothing may be written at all. */
  async mayWrite(): Promise<void> {
    const standing = await this.standing();
    if (standing.kind === "accepted") return killSwitchMustNotBeSeen(this.world);
    throw new SyncError("CONFIG_SUPERSEDED", { detail: this.world.rules.revision, afterMs: 30_000 });
  }

  async standing(): Promise<Standing> {
    const now = this.world.clock.now();
    if (!this.checked || now - this.checked.at > BELIEVED_MS) this.checked = { at: now, standing: this.look() };
    const { checked } = this;
    return checked.standing.catch((error: unknown) => {
      if (this.checked === checked) this.checked = undefined;
      throw error;
    });
  }

  private async look(): Promise<Standing> {
    const { deployment } = this.world.tables;
    const { revision } = this.world.rules;
    for (;;) {
      const stored = await deployment.read(PARTITION, ACCEPTED);
      if (stored?.value.revision === revision) return { kind: "accepted" };
      if (stored?.value.replaced.includes(revision)) return { kind: "superseded" };
      const standing = stored && (await this.compare(stored));
      if (standing === "moved") continue;
      if (standing) return standing;
      if (await this.takeOver(stored)) return { kind: "accepted" };
    }
  }

  /** What the change weakens; `undefined`: nothing, or everybody who has to has agreed. */
  private async compare(
    stored: StoredRow<AcceptedConfiguration>,
  ): Promise<(Standing & { kind: "waits" }) | "moved" | undefined> {
    const { revision, configuration } = this.world.rules;
    const previous = await this.previousOf(stored.value);
    if (previous === undefined && stored.value.by === undefined) return undefined; // accepted before configurations were kept
    const weakenings = previous ? configuration.weakeningsSince(previous.text) : NOT_ON_RECORD;
    if (weakenings.length === 0) return undefined;
    const asked = await Promise.all(this.askFor(stored.value.revision, weakenings));
    if (asked.every(({ approved }) => approved)) return undefined;
    const { waiting } = stored.value;
    if (!waiting?.includes(revision)) {
      const entry = { ...stored.value, waiting: [revision, ...(waiting ?? [])].slice(0, REMEMBERED) };
      const written = await this.world.tables.deployment.write(PARTITION, ACCEPTED, entry, stored.etag);
      if (written.kind === "moved") return "moved";
    }
    return { kind: "waits", previous, weakenings, requests: asked.map(({ id }) => id) };
  }

  private async previousOf({ revision }: AcceptedConfiguration): Promise<PreviousConfiguration | undefined> {
    if (this.previous?.revision === revision) return this.previous;
    const text = (await this.world.tables.configurations.read(PARTITION, revision))?.value.text;
    if (text !== undefined) this.previous = { revision, text };
    return text === undefined ? undefined : this.previous;
  }

  /** One request a target, so that its own administrators decide; one more for what concerns the whole deployment. */
  private askFor(accepted: string, weakenings: readonly Weakening[]): Promise<{ id: string; approved: boolean }>[] {
    const { world } = this;
    const { revision, configuration } = world.rules;
    const targets = [...new Set(weakenings.map(({ targetTenantId }) => targetTenantId))];
    return targets.map(async (targetTenantId) => {
      const details = told(weakenings.filter((weakening) => weakening.targetTenantId === targetTenantId));
      const id = `${CONFIGURATION}:${world.hash(`${accepted}/${revision}`).slice(0, 22)}:${targetTenantId ?? "all"}`;
      const asked = {
        kind: CONFIGURATION,
        subject: revision,
        by: configuration.author ?? "roll-out",
        details,
        ...(targetTenantId === undefined ? {} : { targetTenantId }),
      };
      const row = await openRequest(world, id, asked, { livesMs: WEEK_MS, again: false });
      const state = requestState(row, world.clock.now());
      // Nobody decided in a week, and it is still there: it is asked again.
      if (state === "void") await openRequest(world, id, asked, { livesMs: WEEK_MS, again: true });
      return { id, approved: state === "approved" };
    });
  }

  private async takeOver(stored: StoredRow<AcceptedConfiguration> | undefined): Promise<boolean> {
    const { world } = this;
    const { deployment, configurations } = world.tables;
    const { revision, configuration } = world.rules;
    const before = stored?.value;
    const others = (before?.waiting ?? []).filter((waiting) => waiting !== revision);
    const replaced = before ? [before.revision, ...others, ...before.replaced].slice(0, REMEMBERED) : [];
    const by = configuration.author ?? "roll-out";
    await configurations.put(PARTITION, revision, { text: configuration.text });
    const entry = { revision, replaced, at: world.clock.now(), by };
    return (await deployment.write(PARTITION, ACCEPTED, entry, stored?.etag)).kind === "written";
  }
}

/** Something that runs one configuration and can make the same for another one. */
interface Running<T> {
  deployment: Deployment;
  /** What runs the previous configuration in this one's place. */
  inPlace(previous: PreviousConfiguration): T;
}

/** Makes what runs a previous configuration once, however often it is asked for. */
export function madeOnce<T>(make: (previous: PreviousConfiguration) => T): (previous: PreviousConfiguration) => T {
  let made: { revision: string; running: T } | undefined;
  return (previous) => {
    if (made?.revision !== previous.revision) made = { revision: previous.revision, running: make(previous) };
    return made.running;
  };
}

/** What is to do the work now: this, or while its configuration waits for somebody to agree, the previous one's. */
export async function inForce<T>(running: NoInfer<T> & Running<T>): Promise<T> {
  const standing = await running.deployment.standing();
  return standing.kind === "waits" && standing.previous ? running.inPlace(standing.previous) : running;
}
