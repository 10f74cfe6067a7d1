import { type ListTableEntitiesOptions, odata, type TableClient } from "@azure/data-tables";
import { checkKey, type ReadRow, type Rows, type Written } from "../../ports/rows.ts";
import { fromColumns, toColumns } from "./columns.ts";
import { storageFailure, toThrow } from "./errors.ts";

/** A call of the app waits no longer than this: its message would be delivered again before the storage comes back. */
export const CALL_TIMEOUT_MS = 8_000;

type Entity = Record<string, unknown> & { etag: string; timestamp?: string; rowKey?: string };
/** Options of every call and the raw answer it gives, as the SDK names them in a package that we do not name. */
type CallOptions = NonNullable<Parameters<TableClient["createTable"]>[0]>;
type Answer = Parameters<NonNullable<CallOptions["onResponse"]>>[0];

/**
 * Rows of one table of Azure Table Storage. Throws `StorageUnavailable` when the storage cannot answer (connection,
 * time-out of 8 s, 5xx); nothing is tried again here. A write that throws may have taken effect: its answer was lost.
 * Whoever must know reads the row again and looks for what only this write can have put there (a claim's random id).
 * A missing table throws; it never looks like a missing row.
 */
export function tableRows<T>(table: TableClient): Rows<T> {
  return {
    async read(partition, row) {
      checkKeys(partition, row);
      try {
        return await call(table, `read ${partition}`, async (options, date) => {
          const entity = await table.getEntity<Record<string, unknown>>(partition, row, options);
          return storedRow<T>(partition, entity, date());
        });
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },

    async write(partition, row, value, etag): Promise<Written> {
      checkKeys(partition, row);
      const entity = { ...toColumns(value), partitionKey: partition, rowKey: row };
      try {
        return await call(table, `write ${partition}`, async (options, date) => {
          const answer =
            etag === undefined
              ? await table.createEntity(entity, options)
              : await table.updateEntity(entity, "Replace", { ...options, etag });
          const writtenAt = date();
          if (!answer.etag || Number.isNaN(writtenAt))
            throw new Error(`table ${table.tableName}: a write was answered without ETag or Date`);
          return { kind: "written", etag: answer.etag, writtenAt };
        });
      } catch (error) {
        if (isMoved(error) || (etag !== undefined && isMissing(error))) return { kind: "moved" };
        throw error;
      }
    },

    async put(partition, row, value) {
      checkKeys(partition, row);
      const entity = { ...toColumns(value), partitionKey: partition, rowKey: row };
      await call(table, `put ${partition}`, (options) => table.upsertEntity(entity, "Replace", options));
    },

    async remove(partition, row, etag) {
      checkKeys(partition, row);
      try {
        await call(table, `remove ${partition}`, (options) =>
          table.deleteEntity(partition, row, { ...options, etag: etag ?? "*" }),
        );
      } catch (error) {
        if (isMoved(error)) return "moved";
        if (!isMissing(error)) throw error;
      }
      return "removed";
    },

    list: (partition, range) => list<T>(table, partition, range ?? {}),
  };
}

async function* list<T>(
  table: TableClient,
  partition: string,
  range: { from?: string; before?: string },
): AsyncIterable<ReadRow<T>> {
  checkKeys(partition, ...Object.values(range));
  let filter = odata`PartitionKey eq ${partition}`;
  if (range.from !== undefined) filter += odata` and RowKey ge ${range.from}`;
  if (range.before !== undefined) filter += odata` and RowKey lt ${range.before}`;
  let continuationToken: string | undefined;
  do {
    // A page at a time, because the time-out is for one call and not for however long the reader takes.
    const page = await call(table, `list ${partition}`, async (options, date) => {
      const listing: ListTableEntitiesOptions = { ...options, queryOptions: { filter } };
      const pages = table.listEntities<Record<string, unknown>>(listing);
      const { value } = await pages.byPage(continuationToken === undefined ? {} : { continuationToken }).next();
      const entities: readonly Entity[] = value ?? [];
      return {
        rows: entities.map((entity) => storedRow<T>(partition, entity, date())),
        next: value?.continuationToken,
      };
    });
    yield* page.rows;
    continuationToken = page.next;
  } while (continuationToken !== undefined);
}

/** One call with its time-out; `date` is the storage's own time as its answer gives it, in ms. */
async function call<R>(
  table: TableClient,
  what: string,
  action: (options: CallOptions, date: () => number) => Promise<R>,
): Promise<R> {
  let answer: Answer | undefined;
  const options: CallOptions = {
    abortSignal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    onResponse: (response) => {
      answer = response;
    },
  };
  try {
    return await action(options, () => Date.parse(answer?.headers.get("date") ?? ""));
  } catch (error) {
    throw toThrow(error, `table ${table.tableName}, ${what}`);
  }
}

function storedRow<T>(partition: string, entity: Entity, readAt: number): ReadRow<T> {
  const ageMs = readAt - Date.parse(entity.timestamp ?? "");
  if (entity.rowKey === undefined || Number.isNaN(ageMs)) {
    throw new Error(`the storage answered without key, Timestamp or Date for a row of ${partition}`);
  }
  return {
    partition,
    row: entity.rowKey,
    value: fromColumns(entity) as T,
    etag: entity.etag,
    ageMs: Math.max(0, ageMs), // the Date header has no fractions of a second, the Timestamp has
    readAt,
  };
}

function checkKeys(...keys: readonly string[]): void {
  for (const key of keys) checkKey(key);
}

/** 412: another ETag. 409: a row is there. Other 409s (a table being deleted) are errors. */
function isMoved(error: unknown): boolean {
  const { statusCode, odataCode } = storageFailure(error);
  return statusCode === 412 || (statusCode === 409 && odataCode === "EntityAlreadyExists");
}

/** No such row. A missing table is also a 404, with another code. */
function isMissing(error: unknown): boolean {
  const { statusCode, odataCode } = storageFailure(error);
  return statusCode === 404 && (odataCode === "ResourceNotFound" || odataCode === "EntityNotFound");
}
