import type { Privilege, Reading, SignIn } from "../domain/adoption.ts";
import type { Attributes, TargetUser } from "../domain/user.ts";
import type { Writable } from "../domain/writable.ts";
import type { Lane } from "./source-tenant.ts";

/** Names of attributes that are read, beside those every target user has. */
export type AttributeNames = readonly string[];

/**
 * A target tenant. Calls throw `SyncError`: blame `tenant` or `pace` when the tenant or its pace is the reason, `object` when
 * this user is. Whoever writes to a user shows that it may be written. A write that timed out throws `WriteUnsure`: it may have happened.
 */
export interface TargetTenant {
  /** Live or in the recycle bin; `undefined`: neither, as far as the replica that answered knows. */
  read(targetId: string, attributes: AttributeNames, lane: Lane): Promise<TargetUser | undefined>;
  /** Everybody, live or in the recycle bin, who has this address or carries this stamp. The search index lags behind writes. */
  find(
    address: string | undefined,
    stamp: string,
    attributes: AttributeNames,
    lane: Lane,
  ): Promise<readonly TargetUser[]>;
  /** Live users whose attribute has this value, as far as the search index knows. */
  findBy(attribute: string, value: string, attributes: AttributeNames, lane: Lane): Promise<readonly TargetUser[]>;
  /** Everybody, live or in the recycle bin, whose attribute has one of these values, as far as the search index knows. */
  holders(attribute: string, values: readonly string[], lane: Lane): Promise<readonly Holder[]>;
  /** Whether somebody has a directory role or is in a group that can be given one. */
  privilegeOf(targetId: string, lane: Lane): Promise<Reading<Privilege>>;
  /** Successful sign-ins that the tenant still remembers, newest first. */
  signInsOf(targetId: string, lane: Lane): Promise<Reading<readonly SignIn[]>>;
  /** What became of an invitation: when the user was created, and its proxy addresses. `undefined`: not to be seen yet. */
  invited(targetId: string, lane: Lane): Promise<{ createdAt: number; addresses: readonly string[] } | undefined>;
  /** Creates the B2B user without any mail to the person. */
  invite(invitation: Invitation, call: WriteCall): Promise<Invited>;
  /** Takes the guest's account away: it is bound to whoever accepts an invitation to this address next. */
  resetRedemption(
    target: Writable,
    invitation: Pick<Invitation, "address" | "redirectUrl">,
    call: WriteCall,
  ): Promise<"done" | "missing">;
  /** Writes these attributes; `syncSource` is the stamp. `missing`: 404, which a replica that lags behind a creation gives too. */
  update(target: Writable, changes: Attributes, call: WriteCall): Promise<"done" | "missing">;
  /** `null`: takes the manager away; somebody without one is as good. */
  setManager(target: Writable, managerId: string | null, call: WriteCall): Promise<"done" | "missing">;
  /** Makes a user or a group of the target a sponsor, who may be one already. `missing`: one of the two is not to be seen. */
  addSponsor(target: Writable, sponsorId: string, call: WriteCall): Promise<"done" | "missing">;
  /** To the recycle bin, for 30 days. Never purges. */
  softDelete(target: Writable, call: WriteCall): Promise<"done" | "missing">;
  restore(target: Writable, call: WriteCall): Promise<"done" | "missing">;
}

/** Who has a value, which may differ in letter case from the one that was asked for. */
export interface Holder {
  value: string;
  userId: string;
}

export interface Invitation {
  address: string;
  displayName: string | undefined;
  redirectUrl: string;
  userType: "guest" | "member";
  /** Object ids of sponsors, where the cloud takes them in the invitation. */
  sponsors: readonly string[];
}

/** What the tenant granted of an invitation: it may refuse to invite members, and sponsors whom it does not know. */
export interface Invited {
  targetId: string;
  userType: "guest" | "member";
  hasSponsors: boolean;
}

export interface WriteCall {
  lane: Lane;
  /** Aborts the call before the claim's lease ends. */
  signal: AbortSignal;
}

/** The request went out and no answer came: the write may have happened. A `verify` hint has to follow. */
export class WriteUnsure extends Error {
  /** The tenant answered others just before: what failed may be this person and not the tenant. */
  readonly isolated: boolean;
  constructor(cause: unknown, isolated = false) {
    super("a write was sent and not answered", { cause });
    this.name = "WriteUnsure";
    this.isolated = isolated;
  }
}
