import type { SandboxClock } from "../clock.ts";
import { BusError, type BusMessage, type PeekedMessage, type QueueRules, type ReceivedMessage } from "./api.ts";
import { heap } from "./heap.ts";

/** A message and where it is in its life. */
interface Kept {
  message: BusMessage;
  sequenceNumber: number;
  enqueuedTime: number;
  deliveryCount: number;
  state: "active" | "deferred" | "scheduled";
  lockToken: string | undefined;
  lockedUntil: number;
  deadLetterReason?: string;
  deadLetterErrorDescription?: string;
}

/** A message on its way into the dead-letter queue. */
export type Dead = Pick<Kept, "message" | "deliveryCount" | "deadLetterReason" | "deadLetterErrorDescription">;

export interface QueueParts {
  name: string;
  clock: SandboxClock;
  uuid: () => string;
  rules: QueueRules;
  /** Where messages go that gave up; absent for a dead-letter queue: its messages stay, however often they fail. */
  deadLetter: ((dead: Dead) => void) | undefined;
}

const lost = (queue: string) =>
  new BusError(
    "com.microsoft:message-lock-lost",
    `The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue '${queue}'.`,
  );

/**
 * The rules of one queue. Every operation first catches up with the clock, so that a lock that has run out is lost even
 * when no timer has fired yet. Source: Azure Service Bus documentation ("Message transfers, locks, and settlement",
 * "Dead-letter queues", "Duplicate detection", "Message sequencing and timestamps").
 */
export class Queue {
  readonly #parts: QueueParts;
  readonly #kept = new Map<number, Kept>();
  readonly #locked = new Map<string, Kept>();
  /** Free messages by sequence number: what is abandoned is the next one again. Entries may be stale. */
  readonly #free = heap<Kept>((a, b) => a.sequenceNumber < b.sequenceNumber);
  readonly #locks = heap<{ at: number; kept: Kept; token: string }>((a, b) => a.at < b.at);
  readonly #scheduled = heap<{ at: number; kept: Kept }>(
    (a, b) => a.at < b.at || (a.at === b.at && a.kept.sequenceNumber < b.kept.sequenceNumber),
  );
  /** Message ids by the time they were first seen, oldest first. */
  readonly #seen = new Map<string, number>();
  readonly #listeners = new Set<() => void>();
  readonly #counts = { active: 0, scheduled: 0, deferred: 0, duplicates: 0 };
  #nextSequenceNumber = 1;
  #timer: { at: number; cancel: () => void } | undefined;

  constructor(parts: QueueParts) {
    this.#parts = parts;
  }

  get counts(): { active: number; scheduled: number; locked: number; duplicates: number; kept: number } {
    this.#catchUp();
    const { active, scheduled, duplicates } = this.#counts;
    return { active, scheduled, locked: this.#locked.size, duplicates, kept: this.#kept.size };
  }

  send(messages: readonly BusMessage[]): number[] {
    this.#catchUp();
    const now = this.#parts.clock.now();
    const numbers = messages.map((message) => {
      const sequenceNumber = this.#nextSequenceNumber++;
      if (this.#duplicate(message.messageId, now)) return sequenceNumber;
      if ((message.scheduledEnqueueTime ?? 0) > now) this.#keepScheduled(message, sequenceNumber);
      else this.#keepActive({ message, deliveryCount: 0 }, sequenceNumber);
      return sequenceNumber;
    });
    this.#announce();
    return numbers;
  }

  /** Takes in what gave up elsewhere; its count goes on, as the service shows it. */
  takeDead(dead: Dead): void {
    this.#keepActive(dead, this.#nextSequenceNumber++);
    this.#announce();
  }

  receive(): ReceivedMessage | undefined {
    this.#catchUp();
    for (let kept = this.#free.pop(); kept; kept = this.#free.pop()) {
      if (this.#kept.get(kept.sequenceNumber) !== kept || kept.lockToken !== undefined || kept.state !== "active")
        continue;
      this.#counts.active--;
      if (this.#expired(kept)) {
        this.#kept.delete(kept.sequenceNumber);
        continue;
      }
      return this.#lock(kept);
    }
    return undefined;
  }

  complete(lockToken: string): void {
    const kept = this.#unlock(lockToken);
    if (kept.state === "deferred") this.#counts.deferred--;
    this.#kept.delete(kept.sequenceNumber);
  }

  abandon(lockToken: string, properties: BusMessage["properties"] = {}): void {
    const kept = this.#unlock(lockToken);
    kept.message = { ...kept.message, properties: { ...kept.message.properties, ...properties } };
    this.#failed(kept);
    this.#announce();
  }

  release(lockToken: string): void {
    this.#setFree(this.#unlock(lockToken));
    this.#announce();
  }

  defer(lockToken: string, properties: BusMessage["properties"] = {}): void {
    const kept = this.#unlock(lockToken);
    kept.message = { ...kept.message, properties: { ...kept.message.properties, ...properties } };
    if (kept.state !== "deferred") this.#counts.deferred++;
    kept.state = "deferred";
  }

  receiveDeferred(sequenceNumbers: readonly number[]): ReceivedMessage[] {
    this.#catchUp();
    const found = sequenceNumbers.map((number) => {
      const kept = this.#kept.get(number);
      if (kept?.state !== "deferred" || kept.lockToken !== undefined) throw this.#notFound(number);
      return kept;
    });
    return found.map((kept) => this.#lock(kept));
  }

  deadLetter(
    lockToken: string,
    reason?: string,
    description?: string,
    properties: BusMessage["properties"] = {},
  ): void {
    const kept = this.#unlock(lockToken);
    kept.message = { ...kept.message, properties: { ...kept.message.properties, ...properties } };
    this.#bury(kept, reason, description);
  }

  renew(lockToken: string): number {
    this.#catchUp();
    const kept = this.#locked.get(lockToken);
    if (!kept) throw lost(this.#parts.name);
    kept.lockedUntil = this.#parts.clock.now() + this.#parts.rules.lockSeconds * 1000;
    return kept.lockedUntil;
  }

  cancelScheduled(sequenceNumbers: readonly number[]): void {
    this.#catchUp();
    for (const number of sequenceNumbers) {
      if (this.#kept.get(number)?.state !== "scheduled") throw this.#notFound(number);
    }
    for (const number of sequenceNumbers) this.#kept.delete(number);
    this.#counts.scheduled -= sequenceNumbers.length;
  }

  peek(limit: number, fromSequenceNumber = 0): PeekedMessage[] {
    this.#catchUp();
    const found: Kept[] = [];
    // Sequence numbers only grow, so the map's own order is theirs.
    for (const kept of this.#kept.values()) {
      if (found.length >= limit) break;
      if (kept.sequenceNumber >= fromSequenceNumber && !this.#expired(kept)) found.push(kept);
    }
    return found.map((kept) => ({ ...this.#shown(kept), state: kept.state }));
  }

  purge(): void {
    this.#kept.clear();
    this.#locked.clear();
    this.#free.clear();
    this.#locks.clear();
    this.#scheduled.clear();
    Object.assign(this.#counts, { active: 0, scheduled: 0, deferred: 0 });
  }

  onAvailable(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#listeners.clear();
  }

  #keepActive(dead: Dead, sequenceNumber: number): void {
    const kept: Kept = {
      ...dead,
      sequenceNumber,
      enqueuedTime: this.#parts.clock.now(),
      state: "active",
      lockToken: undefined,
      lockedUntil: 0,
    };
    this.#kept.set(sequenceNumber, kept);
    this.#setFree(kept);
  }

  #keepScheduled(message: BusMessage, sequenceNumber: number): void {
    const at = message.scheduledEnqueueTime ?? 0;
    const kept: Kept = {
      message,
      sequenceNumber,
      enqueuedTime: at,
      deliveryCount: 0,
      state: "scheduled",
      lockToken: undefined,
      lockedUntil: 0,
    };
    this.#kept.set(sequenceNumber, kept);
    this.#counts.scheduled++;
    this.#scheduled.push({ at, kept });
    this.#wakeAt(at);
  }

  #lock(kept: Kept): ReceivedMessage {
    const token = this.#parts.uuid();
    kept.lockToken = token;
    kept.lockedUntil = this.#parts.clock.now() + this.#parts.rules.lockSeconds * 1000;
    this.#locked.set(token, kept);
    this.#locks.push({ at: kept.lockedUntil, kept, token });
    this.#wakeAt(kept.lockedUntil);
    return { ...this.#shown(kept), lockToken: token, lockedUntil: kept.lockedUntil };
  }

  #unlock(lockToken: string): Kept {
    this.#catchUp();
    const kept = this.#locked.get(lockToken);
    if (!kept) throw lost(this.#parts.name);
    this.#locked.delete(lockToken);
    kept.lockToken = undefined;
    return kept;
  }

  /** A delivery that did not end in a settlement: counted, and given up at the limit. */
  #failed(kept: Kept): void {
    kept.deliveryCount++;
    const description = `Message could not be consumed after ${kept.deliveryCount} delivery attempts.`;
    if (kept.deliveryCount < this.#parts.rules.maxDeliveryCount) this.#setFree(kept);
    else this.#bury(kept, "MaxDeliveryCountExceeded", description);
  }

  #bury(kept: Kept, reason: string | undefined, description: string | undefined): void {
    if (!this.#parts.deadLetter) {
      // What gives up in the dead-letter queue stays where it is.
      this.#setFree(kept);
      return;
    }
    if (kept.state === "deferred") this.#counts.deferred--;
    this.#kept.delete(kept.sequenceNumber);
    const { scheduledEnqueueTime: _, timeToLiveMs: __, ...message } = kept.message;
    this.#parts.deadLetter({
      message,
      deliveryCount: kept.deliveryCount,
      ...(reason !== undefined && { deadLetterReason: reason }),
      ...(description !== undefined && { deadLetterErrorDescription: description }),
    });
  }

  #setFree(kept: Kept): void {
    if (kept.state === "deferred") return;
    kept.state = "active";
    this.#counts.active++;
    this.#free.push(kept);
  }

  #duplicate(messageId: string, now: number): boolean {
    const windowMs = this.#parts.rules.duplicateDetectionSeconds * 1000;
    if (windowMs <= 0) return false;
    for (const [id, at] of this.#seen) {
      if (at + windowMs > now) break;
      this.#seen.delete(id);
    }
    if (this.#seen.has(messageId)) {
      this.#counts.duplicates++;
      return true;
    }
    this.#seen.set(messageId, now);
    return false;
  }

  #expired(kept: Kept): boolean {
    const { timeToLiveMs } = kept.message;
    return timeToLiveMs !== undefined && kept.enqueuedTime + timeToLiveMs <= this.#parts.clock.now();
  }

  /** Everything that has fallen due: locks that ran out, messages whose time has come. */
  #catchUp(): void {
    const now = this.#parts.clock.now();
    let freed = false;
    for (let due = this.#scheduled.first(); due && due.at <= now; due = this.#scheduled.first()) {
      this.#scheduled.pop();
      if (this.#kept.get(due.kept.sequenceNumber) !== due.kept) continue;
      // When it becomes active a scheduled message gets a new sequence number, hence a new place in the order.
      this.#kept.delete(due.kept.sequenceNumber);
      this.#counts.scheduled--;
      this.#keepActive({ message: due.kept.message, deliveryCount: 0 }, this.#nextSequenceNumber++);
      freed = true;
    }
    for (let due = this.#locks.first(); due && due.at <= now; due = this.#locks.first()) {
      this.#locks.pop();
      const { kept, token } = due;
      if (kept.lockToken !== token || this.#locked.get(token) !== kept) continue;
      if (kept.lockedUntil > now) {
        this.#locks.push({ at: kept.lockedUntil, kept, token });
        continue;
      }
      this.#locked.delete(token);
      kept.lockToken = undefined;
      this.#failed(kept);
      freed = true;
    }
    const next = Math.min(this.#scheduled.first()?.at ?? Infinity, this.#locks.first()?.at ?? Infinity);
    if (next !== Infinity) this.#wakeAt(next);
    if (freed) this.#announce();
  }

  #wakeAt(at: number): void {
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.cancel();
    const cancel = this.#parts.clock.after(at - this.#parts.clock.now(), () => {
      this.#timer = undefined;
      this.#catchUp();
    });
    this.#timer = { at, cancel };
  }

  #announce(): void {
    if (this.#counts.active > 0) for (const listener of this.#listeners) listener();
  }

  #notFound(sequenceNumber: number): BusError {
    return new BusError(
      "com.microsoft:message-not-found",
      `The specified message with sequence number ${sequenceNumber} does not exist in the queue '${this.#parts.name}'.`,
    );
  }

  #shown(kept: Kept) {
    return {
      ...kept.message,
      deliveryCount: kept.deliveryCount,
      sequenceNumber: kept.sequenceNumber,
      enqueuedTime: kept.enqueuedTime,
      ...(kept.deadLetterReason !== undefined && { deadLetterReason: kept.deadLetterReason }),
      ...(kept.deadLetterErrorDescription !== undefined && {
        deadLetterErrorDescription: kept.deadLetterErrorDescription,
      }),
    };
  }
}
