import { expect } from "vitest";
import * as z from "zod";
import { parseJson } from "../../cli/files.ts";
import { readExport } from "../../sandbox/organization/exports.ts";
import { Connection } from "../../shared/adapters/graph/connection.ts";
import { GraphExtensions } from "../../shared/adapters/graph/extensions.ts";
import { Gateway } from "../../shared/adapters/graph/gateway.ts";
import { GraphSourceChanges } from "../../shared/adapters/graph/source-changes.ts";
import { GraphSourceListing } from "../../shared/adapters/graph/source-listing.ts";
import { GraphSourceTenant } from "../../shared/adapters/graph/source-tenant.ts";
import { GraphSubscriptions } from "../../shared/adapters/graph/subscriptions.ts";
import { GraphTargetListing } from "../../shared/adapters/graph/target-listing.ts";
import { GraphTargetTenant } from "../../shared/adapters/graph/target-tenant.ts";
import { systemChance, systemClock } from "../../shared/adapters/system/clock.ts";
import { fromColumns, toColumns } from "../../shared/adapters/tables/columns.ts";
import { importSchema, SchemaInvalid } from "../../shared/config/entra/import.ts";
import { ConfigInvalid, loadConfig } from "../../shared/config/load.ts";
import { SyncError } from "../../shared/domain/error.ts";
import { Writable } from "../../shared/domain/writable.ts";
import { WriteUnsure } from "../../shared/ports/target-tenant.ts";

/** What takes input from outside, each with what it may answer. Anything else is thrown. */

const ID = "2f6c9a1e-5d0b-4c7e-9a43-0b1d2e3f4a5b";

export function takeConfig(text: string): void {
  try {
    loadConfig(text);
  } catch (error) {
    if (!(error instanceof ConfigInvalid)) throw error;
    expect(error.message).toMatch(/^CONFIG_INVALID: /);
  }
}

/** As the command reads it. */
export function takeSchema(text: string): void {
  const read = parseJson(text, z.unknown());
  if ("wrong" in read) return;
  try {
    importSchema(read.value);
  } catch (error) {
    if (!(error instanceof SchemaInvalid)) throw error;
  }
}

export function takeExport(text: string): void {
  for (const file of [text, `userPrincipalName,displayName\n${text}`]) {
    try {
      readExport(new TextEncoder().encode(file));
    } catch (error) {
      if (!(error instanceof Error) || /TypeError|RangeError/.test(error.name)) throw error;
    }
  }
}

/** As a whole row, and as a column of JSON. */
export function takeRow(text: string): void {
  for (const row of [{ valueJson: text }, { valueJson_1: text, value: text }, { [text.slice(0, 100)]: text }]) {
    try {
      const value = fromColumns(row);
      expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    } catch (error) {
      if (!(error instanceof Error) || /TypeError|RangeError/.test(error.name)) throw error;
    }
  }
  const kept = { text: text.toWellFormed(), other: [text.toWellFormed()] };
  expect(fromColumns(plain(toColumns(kept)))).toEqual(kept);
}

const plain = (columns: ReturnType<typeof toColumns>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => [name, typeof column === "object" ? column.value : column]),
  );

/** Every call of every adapter gets it for an answer: what comes back is a value of ours, or an error with a code. */
export async function takeGraphAnswer(text: string): Promise<void> {
  const root = "https://graph.microsoft.com";
  for (const status of [200, 400]) {
    const transport = async () => new Response(text.toWellFormed(), { status });
    const fresh = () =>
      new Gateway(
        new Connection({
          tenantId: ID,
          root,
          token: async () => "token",
          clock: systemClock,
          chance: systemChance,
          transport,
        }),
      );
    const call = { lane: "changes", signal: AbortSignal.timeout(60_000) } as const;
    const user = Writable.invited(ID, { targetId: ID });
    const target = () => new GraphTargetTenant(fresh(), root, "extension_x_syncSource");
    const source = () => new GraphSourceTenant(fresh(), systemClock.now);
    const listing = () => new GraphTargetListing(fresh(), "extension_x_syncSource");
    const invitation = {
      address: "a@b.example",
      displayName: "A",
      redirectUrl: root,
      userType: "guest",
      sponsors: [],
    } as const;
    const answers = await Promise.allSettled([
      source().user(ID, ["department"], "changes"),
      source().memberOf(ID, [{ id: ID, transitive: true }], "changes"),
      source().groupState(ID),
      source().verifiedDomains("changes"),
      target().read(ID, ["department"], "changes"),
      target().find("a@b.example", "stamp", [], "changes"),
      target().holders("employeeId", ["1"], "changes"),
      target().privilegeOf(ID, "changes"),
      target().signInsOf(ID, "changes"),
      target().invited(ID, "changes"),
      target().invite(invitation, call),
      target().update(user, { department: "x" }, call),
      new GraphSourceChanges(fresh()).users({ kind: "all" }, ["department"]),
      new GraphSourceChanges(fresh()).groups({ kind: "all" }, [ID]),
      new GraphSubscriptions(fresh()).list(),
      new GraphExtensions(fresh(), ID).own(),
      new GraphSourceListing(fresh()).users(undefined, ["department"]),
      listing().users(undefined, ["department"]),
      listing().changes(undefined, ["department"]),
    ]);
    for (const answer of answers) {
      if (answer.status === "fulfilled") continue;
      const known = answer.reason instanceof SyncError || answer.reason instanceof WriteUnsure;
      if (!known) throw answer.reason;
    }
  }
}
