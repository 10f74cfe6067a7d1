import type { AppendOnly } from "../../ports/append-only.ts";
import type { Rows } from "../../ports/rows.ts";

/** The same rows without the verbs that change any. */
export function appendOnly<T>(rows: Rows<T>): AppendOnly<T> {
  return {
    add: async (partition, row, value) =>
      (await rows.write(partition, row, value, undefined)).kind === "written" ? "added" : "exists",
    list: (partition, range) => rows.list(partition, range),
  };
}
