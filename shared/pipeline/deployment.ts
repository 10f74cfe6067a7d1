import { SyncError } from "../domain/error.ts";
import type { World } from "./world.ts";

const PARTITION = "configuration";
const ACCEPTED = "accepted";
/** An instance learns within this time that another one runs a newer configuration. */
const BELIEVED_MS = 1_000;
/** Replaced revisions that are remembered. */
const REMEMBERED = 200;

/**
 * Which configuration may write: the one that came last. A revision that was seen before and replaced stays replaced, so
 * that an old instance which restarts in the middle of a roll-out does not take over again.
 */
export class Deployment {
  private readonly world: World;
  private checked: { at: number; accepted: Promise<boolean> } | undefined;

  constructor(world: World) {
    this.world = world;
  }

  /** Throws `CONFIG_SUPERSEDED` when a newer configuration has been accepted. */
  async mayWrite(): Promise<void> {
    const now = this.world.clock.now();
    if (!this.checked || now - this.checked.at > BELIEVED_MS) this.checked = { at: now, accepted: this.isAccepted() };
    const { checked } = this;
    const accepted = await checked.accepted.catch((error: unknown) => {
      if (this.checked === checked) this.checked = undefined;
      throw error;
    });
    if (!accepted) throw new SyncError("CONFIG_SUPERSEDED", { detail: this.world.rules.revision, afterMs: 30_000 });
  }

  private async isAccepted(): Promise<boolean> {
    const { deployment } = this.world.tables;
    const { revision } = this.world.rules;
    for (;;) {
      const stored = await deployment.read(PARTITION, ACCEPTED);
      if (stored?.value.revision === revision) return true;
      if (stored?.value.replaced.includes(revision)) return false;
      const replaced = stored ? [stored.value.revision, ...stored.value.replaced].slice(0, REMEMBERED) : [];
      const entry = { revision, replaced, at: this.world.clock.now() };
      if ((await deployment.write(PARTITION, ACCEPTED, entry, stored?.etag)).kind === "written") return true;
    }
  }
}
