import type { FunctionSpec } from "../call.ts";
import { isList, textOf } from "../value.ts";

const join: FunctionSpec = {
  name: "Join",
  params: ["separator", "source..."],
  least: 1,
  compile: (call) => {
    const separator = call.textOrEmpty(0);
    const sources = call.args.slice(1).flatMap((arg) => (arg ? [arg.run] : []));
    return (evaluation) => {
      const between = separator(evaluation);
      let joined: string | undefined;
      const add = (text: string | null) => {
        if (text === null || text === "") return;
        joined = joined === undefined ? text : joined + between + text;
        call.fits(joined.length);
      };
      for (const source of sources) {
        const value = source(evaluation);
        if (isList(value)) value.forEach(add);
        else add(textOf(value));
      }
      return call.bounded(evaluation, joined ?? "");
    };
  },
};

const split: FunctionSpec = {
  name: "Split",
  params: ["source", "delimiter"],
  compile: (call) => {
    const [source, delimiter] = [call.textOrEmpty(0), call.textOrEmpty(1)];
    return (evaluation) => {
      const [text, at] = [source(evaluation), delimiter(evaluation)];
      const parts = at === "" ? [text] : text.split(at);
      evaluation.spend(text.length, call.at + 1);
      return call.boundedList(
        evaluation,
        parts.map((part) => part.trim()).filter((part) => part !== ""),
      );
    };
  },
};

const item: FunctionSpec = {
  name: "Item",
  params: ["attribute", "index"],
  compile: (call) => {
    const [list, index] = [call.list(0), call.integer(1)];
    return (evaluation) => {
      const [values, wanted] = [list(evaluation), index(evaluation)];
      const found = wanted < 1 ? undefined : values[wanted - 1];
      if (found !== undefined) return found;
      return call.fail(
        "IndexOutOfRange",
        `There is no element ${wanted}; the list has ${values.length}, counted from 1.`,
      );
    };
  },
};

/**
 * Not described for provisioning, and part of an example of Item there: which element, counted from 1, has the text in it; 0: none.
 * Source: Entra `reference-expressions.md` (cloud sync), Item; `reference-connect-sync-functions-reference.md`, Contains.
 */
const contains: FunctionSpec = {
  name: "Contains",
  params: ["attribute", "search"],
  compile: (call) => {
    const [list, search] = [call.list(0), call.textOrEmpty(1)];
    return (evaluation) => {
      const [values, wanted] = [list(evaluation), search(evaluation)];
      evaluation.spend(
        values.reduce((sum, value) => sum + value.length, 0),
        call.at + 1,
      );
      return String(values.findIndex((value) => value.includes(wanted)) + 1);
    };
  },
};

export const LISTS: readonly FunctionSpec[] = [
  join,
  split,
  item,
  contains,
  {
    name: "Count",
    params: ["attribute"],
    compile: (call) => {
      const list = call.list(0);
      return (evaluation) => String(list(evaluation).length);
    },
  },
  {
    name: "RemoveDuplicates",
    params: ["attribute"],
    compile: (call) => {
      const [source, list] = [call.value(0), call.list(0)];
      return (evaluation) =>
        source(evaluation) === null ? null : call.boundedList(evaluation, [...new Set(list(evaluation))]);
    },
  },
  {
    // The list of the roles' names; which of several is meant is not defined, as in Entra.
    name: "SingleAppRoleAssignment",
    params: ["appRoleAssignments"],
    compile: (call) => {
      const list = call.list(0);
      return (evaluation) => list(evaluation)[0] ?? null;
    },
  },
  {
    name: "AppRoleAssignments",
    params: ["source"],
    compile: (call) => call.list(0),
  },
];
