import { definitionOf, entraName, SOURCE_DIRECTORY, TARGET_DIRECTORY, USER } from "../../domain/schema/directory.ts";
import { filterOf } from "../filter.ts";
import { NO_ID } from "./export.ts";
import type { Placed } from "./import-mappings.ts";
import type { Entry, Reason } from "./reader.ts";
import type { SchemaRules } from "./rules.ts";

const note = (why: string, remedy = "Nothing to do."): Reason => ({ why, remedy, weight: "note" });
const rule = (why: string, remedy: string): Reason => ({ why, remedy, weight: "rule" });

const UNUSED = note("No rule of the job uses this definition");
const KNOWN_HERE = note("Attributes are known here from Graph's own documentation");
const OF_DIRECTORY = note("It describes the directory to Microsoft's engine");

/** What to say when a definition differs from the one that every exported schema has. */
const DIFFERS: Readonly<Record<string, Reason>> = {
  anchor: KNOWN_HERE,
  type: KNOWN_HERE,
  multivalued: KNOWN_HERE,
  mutability: KNOWN_HERE,
  referencedObjects: KNOWN_HERE,
  metadata: KNOWN_HERE,
  required: note(
    "A person is provisioned here although the attribute is empty",
    "Give the mapping a `defaultValue` if there has to be one.",
  ),
  defaultValue: rule(
    "Defaults belong to the mapping here, not to the attribute",
    "Set `defaultValue` of the mapping if it is needed.",
  ),
  caseExact: note("Letter case counts for target attributes only"),
  flowNullValues: rule(
    "Emptying the target takes two switches, and the schema documents only this one",
    "Set `flowNullValues` of the mapping and of the job if you want it.",
  ),
};

type Side = "source" | "target";
interface Directory {
  entry: Entry;
  user: Entry | undefined;
  attributes: readonly Entry[];
}

/** The directories of a schema: what they say about the attributes that are mapped. */
export class Definitions {
  readonly #sides: Partial<Record<Side, Directory>> = {};
  /** Names as Entra has them. */
  readonly #used: Record<Side, Set<string>> = { source: new Set(["objectId"]), target: new Set(["objectId"]) };
  readonly #nulls = new Set<string>();
  readonly #cases = new Set<string>();
  readonly #booleans = new Set<string>();

  constructor(all: readonly Entry[], names: Readonly<Record<Side, string | undefined>>) {
    for (const entry of all) {
      const name = entry.text("name");
      const side = (["source", "target"] as const).find((one) => names[one] === name && !this.#sides[one]);
      if (side === undefined) entry.tell(UNUSED, entry.called("directory"));
      else this.#sides[side] = opened(entry, side);
    }
  }

  #definition(side: Side, name: string): Entry | undefined {
    return this.#sides[side]?.attributes.find(({ value }) => value.name === name);
  }

  use(side: Side, name: string): void {
    this.#used[side].add(name);
  }

  caseExact(name: string): boolean {
    return this.#definition("target", name)?.flag("caseExact") === true;
  }

  /** What a mapping of the job says is not to be listed again. */
  useMapping({ mapping, target, sources }: Placed): void {
    this.use("target", target);
    this.#cases.add(target);
    for (const name of sources) {
      this.use("source", name);
      // The second of the two switches for nulls is known: the first one is as expected.
      if (mapping.flowNullValues) this.#nulls.add(name);
    }
  }

  isBoolean(name: string): boolean {
    const defined = this.#definition("target", name)?.value.type;
    const boolean = typeof defined === "string" ? /^boolean$/i.test(defined) : definitionOf(name).type === "Boolean";
    if (boolean) this.#booleans.add(name);
    return boolean;
  }

  /** Lists what nothing of the job depends on. To be called when every mapping and filter has been read. */
  finish(scope: SchemaRules["scope"]): void {
    const filter = filterOf(scope);
    for (const { clauses } of [...(filter?.groups ?? []), ...(filter?.inputFilterGroups ?? [])])
      for (const { sourceOperandName } of clauses) this.use("source", entraName(sourceOperandName));
    for (const side of ["source", "target"] as const) {
      const directory = this.#sides[side];
      for (const attribute of directory?.attributes ?? []) this.#attribute(side, attribute);
      directory?.user?.rest();
      directory?.entry.rest();
    }
  }

  #attribute(side: Side, entry: Entry): void {
    const name = entry.text("name") ?? "";
    if (!this.#used[side].has(name)) {
      entry.tell(UNUSED, `the definition of ${name || "an attribute without a name"}`);
      return;
    }
    const { name: _, ...standard } = definitionOf(name, {
      caseExact: side === "target" && this.#cases.has(name) && this.caseExact(name),
      flowNullValues: side === "source" && this.#nulls.has(name),
      boolean: side === "target" && this.#booleans.has(name),
    });
    for (const [key, value] of Object.entries(standard)) {
      const given = entry.value[key];
      // Microsoft's own samples write `string` as well as `String`.
      const same =
        typeof given === "string" && typeof value === "string" && given.toLowerCase() === value.toLowerCase();
      if (same) entry.text(key);
      else entry.expect(key, value, DIFFERS[key] ?? KNOWN_HERE);
    }
    entry.rest();
  }
}

function opened(entry: Entry, side: Side): Directory {
  entry.expect("name", side === "source" ? SOURCE_DIRECTORY : TARGET_DIRECTORY, OF_DIRECTORY);
  entry.expect("id", NO_ID, OF_DIRECTORY);
  for (const key of ["readOnly", "version", "discoverabilities", "discoveryDateTime", "metadata"]) {
    entry.tellOf(key, OF_DIRECTORY);
  }
  const objects = entry.entries("objects");
  const user = objects.find(
    ({ value }) => typeof value.name === "string" && value.name.toLowerCase() === USER.toLowerCase(),
  );
  for (const object of objects) if (object !== user) object.tell(UNUSED, object.called("object"));
  user?.expect("name", USER, OF_DIRECTORY);
  for (const key of ["metadata", "supportedApis"]) user?.tellOf(key, OF_DIRECTORY);
  return { entry, user, attributes: user?.entries("attributes") ?? [] };
}
