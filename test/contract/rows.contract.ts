import { expect, test } from "vitest";
import { checkKey, type Rows, type StoredRow } from "../../shared/ports/rows.ts";

export interface Thing {
  text?: string;
  count?: number;
  flag?: boolean;
  at?: number;
  nothing?: null;
  list?: readonly unknown[];
  nested?: Readonly<Record<string, unknown>>;
  etag?: string;
  countJson?: string;
  textJson_1?: string;
}

export interface RowsUnderTest {
  rows: Rows<Thing>;
  /** Lets at least two seconds pass by the storage's clock. */
  pass(): Promise<void>;
}

async function all<T>(rows: AsyncIterable<StoredRow<T>>): Promise<StoredRow<T>[]> {
  const found: StoredRow<T>[] = [];
  for await (const row of rows) found.push(row);
  return found;
}

const keys = async (rows: AsyncIterable<StoredRow<Thing>>) => (await all(rows)).map(({ row }) => row);

/** What every store of rows does. `open` gives a store that may hold rows of earlier tests: each test has its own partition. */
export function rowsContract(open: () => RowsUnderTest): void {
  let partitions = 0;
  const fresh = () => ({ ...open(), partition: `p${++partitions}` });

  test("a row that was never written is not there", async () => {
    const { rows, partition } = fresh();
    expect(await rows.read(partition, "a")).toBeUndefined();
    expect(await all(rows.list(partition))).toEqual([]);
  });

  test.each<{ name: string; value: Thing }>([
    { name: "text, number, boolean", value: { text: "x", count: 3, flag: false } },
    { name: "empty text, zero and a negative number", value: { text: "", count: 0, at: -1.5 } },
    { name: "times in ms", value: { at: 1_767_600_000_123, count: Number.MAX_SAFE_INTEGER } },
    {
      name: "null, lists and objects",
      value: { nothing: null, list: [1, "2", null, [true]], nested: { a: { b: [] } } },
    },
    { name: "empty list, empty object, nothing at all", value: { list: [], nested: {} } },
    { name: "no property", value: {} },
    { name: "names that the storage uses itself", value: { etag: "mine", countJson: "not JSON", textJson_1: "{" } },
    { name: "every script", value: { text: "Nguyễn 王小明 محمد 👩‍👩‍👧 O'Brien \"\\\n\t", nested: { "ключ.ü": "🇩🇪" } } },
    { name: "half a character", value: { text: "a\ud83d", list: ["\udc00"] } },
    { name: "text of 100,000 characters", value: { text: "é".repeat(100_000) } },
    {
      name: "a list that is long, with pairs at every cut",
      value: { list: Array.from({ length: 9_000 }, () => "😀😀👍") },
    },
    {
      name: "text that looks like a date, a number, a boolean",
      value: { text: "2026-01-05T08:00:00Z", nested: { x: "5" } },
    },
  ])("comes back as it was written: $name", async ({ value }) => {
    const { rows, partition } = fresh();
    await rows.put(partition, "a", value);
    expect((await rows.read(partition, "a"))?.value).toEqual(value);
    expect((await all(rows.list(partition))).map((row) => row.value)).toEqual([value]);
  });

  test("undefined is left out", async () => {
    const { rows, partition } = fresh();
    const value: Record<string, unknown> = { text: undefined, count: 1 };
    await rows.put(partition, "a", value);
    const found = await rows.read(partition, "a");
    expect(found && Object.keys(found.value)).toEqual(["count"]);
  });

  test("what was read or written is a copy", async () => {
    const { rows, partition } = fresh();
    const value = { nested: { inner: "before" } };
    await rows.put(partition, "a", value);
    value.nested.inner = "after";
    const found = await rows.read(partition, "a");
    expect(found?.value).toEqual({ nested: { inner: "before" } });
    expect(await rows.read(partition, "a")).not.toBe(found);
  });

  test("a row is created only once", async () => {
    const { rows, partition } = fresh();
    const first = await rows.write(partition, "a", { count: 1 }, undefined);
    expect(first.kind).toBe("written");
    expect(await rows.write(partition, "a", { count: 2 }, undefined)).toEqual({ kind: "moved" });
    expect((await rows.read(partition, "a"))?.value).toEqual({ count: 1 });
  });

  test("a row is changed only under its ETag, and wholly", async () => {
    const { rows, partition } = fresh();
    const first = await rows.write(partition, "a", { count: 1, text: "x" }, undefined);
    if (first.kind !== "written") throw new Error("not written");
    const second = await rows.write(partition, "a", { count: 2 }, first.etag);
    if (second.kind !== "written") throw new Error("not written");
    expect(second.etag).not.toBe(first.etag);
    expect(second.writtenAt).toBeLessThanOrEqual((await rows.read(partition, "a"))?.readAt ?? 0);
    expect(await rows.write(partition, "a", { count: 3 }, first.etag)).toEqual({ kind: "moved" });
    expect(await rows.read(partition, "a")).toMatchObject({ partition, row: "a", etag: second.etag });
    expect((await rows.read(partition, "a"))?.value).toEqual({ count: 2 });
  });

  test("a removed row cannot be written under its old ETag", async () => {
    const { rows, partition } = fresh();
    const first = await rows.write(partition, "a", { count: 1 }, undefined);
    if (first.kind !== "written") throw new Error("not written");
    expect(await rows.remove(partition, "a")).toBe("removed");
    expect(await rows.write(partition, "a", { count: 2 }, first.etag)).toEqual({ kind: "moved" });
    expect(await rows.read(partition, "a")).toBeUndefined();
  });

  test("a row that was removed and made again has another ETag", async () => {
    const { rows, partition } = fresh();
    const first = await rows.write(partition, "a", { count: 1 }, undefined);
    if (first.kind !== "written") throw new Error("not written");
    await rows.remove(partition, "a", first.etag);
    await rows.write(partition, "a", { count: 1 }, undefined);
    expect(await rows.write(partition, "a", { count: 2 }, first.etag)).toEqual({ kind: "moved" });
  });

  test("put asks for nothing and replaces wholly", async () => {
    const { rows, partition } = fresh();
    await rows.put(partition, "a", { count: 1, text: "x" });
    await rows.put(partition, "a", { flag: true });
    expect((await rows.read(partition, "a"))?.value).toEqual({ flag: true });
  });

  test("of writers with one ETag exactly one wins", async () => {
    const { rows, partition } = fresh();
    const created = await Promise.all(
      Array.from({ length: 8 }, (_, count) => rows.write(partition, "a", { count }, undefined)),
    );
    const winner = created.filter(({ kind }) => kind === "written");
    expect(winner).toHaveLength(1);
    const etag = (await rows.read(partition, "a"))?.etag;
    const changed = await Promise.all(
      Array.from({ length: 8 }, (_, count) => rows.write(partition, "a", { count }, etag)),
    );
    expect(changed.filter(({ kind }) => kind === "written")).toHaveLength(1);
  });

  test("remove: with a stale ETag it does nothing, and what is not there is fine", async () => {
    const { rows, partition } = fresh();
    const first = await rows.write(partition, "a", { count: 1 }, undefined);
    if (first.kind !== "written") throw new Error("not written");
    await rows.put(partition, "a", { count: 2 });
    expect(await rows.remove(partition, "a", first.etag)).toBe("moved");
    expect((await rows.read(partition, "a"))?.value).toEqual({ count: 2 });
    expect(await rows.remove(partition, "a", (await rows.read(partition, "a"))?.etag)).toBe("removed");
    expect(await rows.remove(partition, "a", first.etag)).toBe("removed");
    expect(await rows.remove(partition, "never")).toBe("removed");
  });

  test("a list is one partition, in the order of its keys, within its range", async () => {
    const { rows, partition } = fresh();
    const written = ["b", "B", "a", "Z", "é", "10", "2", "a:b", "a-b"];
    for (const key of written) await rows.put(partition, key, { text: key });
    await rows.put(`${partition}-other`, "a", { text: "not ours" });
    const ordered = ["10", "2", "B", "Z", "a", "a-b", "a:b", "b", "é"];
    expect(await keys(rows.list(partition))).toEqual(ordered);
    expect(await keys(rows.list(partition, { from: "a" }))).toEqual(["a", "a-b", "a:b", "b", "é"]);
    expect(await keys(rows.list(partition, { before: "a" }))).toEqual(["10", "2", "B", "Z"]);
    expect(await keys(rows.list(partition, { from: "a-", before: "b" }))).toEqual(["a-b", "a:b"]);
    expect(await keys(rows.list(partition, { from: "c", before: "d" }))).toEqual([]);
    await rows.remove(partition, "Z");
    await rows.put(partition, "M", {});
    expect(await keys(rows.list(partition, { before: "a" }))).toEqual(["10", "2", "B", "M"]);
  });

  test("keys with spaces, quotes and any script are kept apart", async () => {
    const { rows } = fresh();
    const odd = ["it's", "a b+c&d=e", "a@b.example", "日本", "x y", "x  y", "'", "A", "a"];
    for (const key of odd) await rows.put(`odd ${key}`, key, { text: key });
    for (const key of odd) {
      expect((await rows.read(`odd ${key}`, key))?.value).toEqual({ text: key });
      expect(await keys(rows.list(`odd ${key}`, { from: key }))).toEqual([key]);
    }
  });

  test.each(["a/b", "a\\b", "a#b", "a?b", "a%b", "a\nb", "a\u0085b", "", "x".repeat(513)])(
    "the key %j is refused everywhere",
    async (key) => {
      const { rows, partition } = fresh();
      expect(() => checkKey(key)).toThrow(RangeError);
      await expect(rows.read(partition, key)).rejects.toThrow(RangeError);
      await expect(rows.read(key, "a")).rejects.toThrow(RangeError);
      await expect(rows.write(partition, key, {}, undefined)).rejects.toThrow(RangeError);
      await expect(rows.put(partition, key, {})).rejects.toThrow(RangeError);
      await expect(rows.remove(partition, key)).rejects.toThrow(RangeError);
      await expect(all(rows.list(partition, { from: key }))).rejects.toThrow(RangeError);
    },
  );

  test("age is counted from the last write, by the storage's clock", async () => {
    const { rows, partition, pass } = fresh();
    /** Dates of HTTP are whole seconds. */
    const SECOND_MS = 1_000;
    const ageAfter = async (count: number) => {
      const startedAt = performance.now();
      await rows.put(partition, "a", { count });
      const ageMs = (await rows.read(partition, "a"))?.ageMs;
      expect(ageMs).toBeGreaterThanOrEqual(0);
      expect(ageMs).toBeLessThan(performance.now() - startedAt + SECOND_MS);
    };
    await ageAfter(1);
    const readAt = performance.now();
    await pass();
    const old = (await rows.read(partition, "a"))?.ageMs;
    expect(old).toBeGreaterThanOrEqual(1_000);
    expect(old).toBeLessThan(60_000 + performance.now() - readAt);
    expect((await all(rows.list(partition)))[0]?.ageMs).toBeGreaterThanOrEqual(1_000);
    await ageAfter(2);
  });

  test("a row that is read says what time it is at the storage, in whole seconds", async () => {
    const { rows, partition, pass } = fresh();
    const startedAt = performance.now();
    await rows.put(partition, "a", {});
    const first = (await rows.read(partition, "a"))?.readAt ?? Number.NaN;
    const tookMs = performance.now() - startedAt;
    expect(first % 1_000).toBe(0);
    await pass();
    const second = await rows.read(partition, "a");
    const passed = (second?.readAt ?? Number.NaN) - first;
    expect(passed).toBeGreaterThanOrEqual(1_000);
    expect(Math.abs((second?.ageMs ?? Number.NaN) - passed)).toBeLessThanOrEqual(1_000 + tookMs);
  });

  test("more rows than a page holds", async () => {
    const { rows, partition } = fresh();
    const count = 1_203;
    const written = Array.from({ length: count }, (_, index) => `r${String(index).padStart(6, "0")}`);
    for (let start = 0; start < count; start += 100) {
      await Promise.all(written.slice(start, start + 100).map((key) => rows.put(partition, key, { text: key })));
    }
    expect(await keys(rows.list(partition))).toEqual(written);
    expect(await keys(rows.list(partition, { from: "r000100", before: "r001150" }))).toEqual(written.slice(100, 1150));
  });
}
