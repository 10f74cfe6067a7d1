import type { Call, Evaluator, FunctionSpec } from "../call.ts";
import { told } from "../call.ts";
import { IgnoredFlow } from "../diagnostics.ts";
import { boolean, isList, truthOf, type Value } from "../value.ts";

/** Passed over by Coalesce, dropped by IgnoreFlowIfNullOrEmpty. */
const isEmpty = (value: Value): boolean => value === null || value === "" || (isList(value) && value.length === 0);

const test = (name: string, holds: (text: string | null) => boolean, param = "expression"): FunctionSpec => ({
  name,
  params: [param],
  compile: (call) => {
    const source = call.text(0);
    return (evaluation) => boolean(holds(source(evaluation)));
  },
});

/** True or false, or a failure that names the value. */
function truth(call: Call): Evaluator<boolean> {
  const source = call.text(0);
  return (evaluation) => {
    const text = source(evaluation);
    return truthOf(text) ?? call.fail("InvalidBoolean", `${call.name} needs True or False, not ${told(text)}.`);
  };
}

const iif: FunctionSpec = {
  name: "IIF",
  params: ["condition", "valueIfTrue", "valueIfFalse"],
  condition: 0,
  compile: (call) => {
    if (call.args[0]?.calls === "IgnoreFlowIfNullOrEmpty") {
      const message = "IgnoreFlowIfNullOrEmpty is no condition. Put it around the whole IIF.";
      call.diagnostics.error("MisplacedFunction", message, call.atOf(0));
    }
    const [condition, whenTrue, whenFalse] = [truth(call), call.value(1), call.value(2)];
    return (evaluation) => (condition(evaluation) ? whenTrue(evaluation) : whenFalse(evaluation));
  },
};

const TESTS = ["IsPresent", "IsNull", "IsNullOrEmpty"];

const choose: FunctionSpec = {
  name: "Switch",
  params: ["source", "defaultValue?", "key and value..."],
  least: 2,
  compile: (call) => {
    const count = call.args.length;
    if (count % 2 !== 0) {
      const message = `Switch has ${count} positions; after source and default, keys and values come in pairs.`;
      call.diagnostics.error("WrongNumberOfArguments", message, call.at);
    }
    const tested = call.args[0]?.calls;
    if (tested !== undefined && TESTS.includes(tested)) {
      call.diagnostics.warn(
        `Entra advises against ${tested} as the source of Switch; use the key "" instead.`,
        call.atOf(0),
      );
    }
    const [source, otherwise] = [call.text(0), call.value(1)];
    const keys: Evaluator<string>[] = [];
    const values: Evaluator[] = [];
    for (let index = 2; index < count; index += 2) {
      keys.push(call.textOrEmpty(index));
      values.push(call.value(index + 1));
    }
    return (evaluation) => {
      const text = source(evaluation) ?? "";
      const index = keys.findIndex((key) => key(evaluation) === text);
      return (index < 0 ? otherwise : (values[index] ?? otherwise))(evaluation);
    };
  },
};

const coalesce: FunctionSpec = {
  name: "Coalesce",
  params: ["source..."],
  least: 1,
  compile: (call) => {
    const sources = call.args.flatMap((arg) => (arg ? [arg.run] : []));
    const last = sources.pop();
    return (evaluation) => {
      for (const source of sources) {
        const value = source(evaluation);
        if (!isEmpty(value)) return value;
      }
      return last ? last(evaluation) : null;
    };
  },
};

const ignoreFlow: FunctionSpec = {
  name: "IgnoreFlowIfNullOrEmpty",
  params: ["expression"],
  compile: (call) => {
    const source = call.value(0);
    const ignored = new IgnoredFlow("attribute");
    return (evaluation) => {
      const value = source(evaluation);
      if (isEmpty(value)) throw ignored;
      return value;
    };
  },
};

export const LOGIC: readonly FunctionSpec[] = [
  iif,
  choose,
  coalesce,
  ignoreFlow,
  test("IsNull", (text) => text === null),
  test("IsNothing", (text) => text === null),
  test("IsNullOrEmpty", (text) => text === null || text === ""),
  test("IsPresent", (text) => text !== null && text !== ""),
  test("Not", (text) => text !== "True", "source"),
  {
    name: "CBool",
    params: ["expression"],
    condition: 0,
    compile: (call) => {
      const condition = truth(call);
      return (evaluation) => boolean(condition(evaluation));
    },
  },
  {
    name: "Error",
    params: ["message"],
    compile: (call) => {
      const message = call.textOrEmpty(0);
      return (evaluation) => call.fail("CustomError", message(evaluation));
    },
  },
  {
    // In Entra the provisioning log has [Redact] instead of the value. The log here never holds values.
    name: "Redact",
    params: ["value"],
    compile: (call) => call.value(0),
  },
];
