import { SyncError } from "./error.ts";
import { isExternal, type TargetUser } from "./user.ts";

const ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/**
 * That a target user may be written: external, and nobody else's, as read; or invited by us a moment ago. Every write to a
 * user asks for one, and only this file makes them, so that there is no way around the question. Nothing of the product
 * writes to a group or a role.
 */
export class Writable {
  readonly tenantId: string;
  readonly targetId: string;
  /** Makes the type one of its own: an object of the same form is not one. */
  readonly #proven = true;

  private constructor(tenantId: string, targetId: string) {
    if (!ID.test(targetId)) throw new SyncError("TARGET_NOT_EXTERNAL", { detail: "not the id of a user" });
    this.tenantId = tenantId;
    this.targetId = targetId;
  }

  /** `stamps`: of the source users whom the target user may stand for. Throws `TARGET_NOT_EXTERNAL`, `TARGET_TAKEN`. */
  static read(tenantId: string, user: TargetUser, stamps: readonly string[]): Writable {
    if (!isExternal(user)) throw new SyncError("TARGET_NOT_EXTERNAL");
    if (user.stamp !== null && !stamps.includes(user.stamp)) throw new SyncError("TARGET_TAKEN");
    return new Writable(tenantId, user.id);
  }

  /** The answer to an invitation of ours. */
  static invited(tenantId: string, { targetId }: { targetId: string }): Writable {
    return new Writable(tenantId, targetId);
  }

  /** The id to write to in this tenant. Throws for a proof of another tenant. */
  in(tenantId: string): string {
    if (!this.#proven || this.tenantId !== tenantId)
      throw new SyncError("TARGET_TAKEN", { detail: "of another tenant" });
    return this.targetId;
  }
}
