import { cloudPair } from "../shared/domain/cloud.ts";
import { ALIASES, NOT_USABLE, PROPERTIES, type SourceAttribute } from "../shared/domain/mapping/attributes.ts";
import { defaultMappings } from "../shared/domain/mapping/map.ts";
import { NOT_WRITABLE, TARGET_NAMES, type TargetAttribute, targetAttribute } from "../shared/domain/mapping/targets.ts";

/** `docs/mappings.md`: the rules of mappings, with tables that are made from the code. */
export function mappingsPage(): string {
  return `# Attribute mappings

Made from \`shared/domain/mapping/\`: do not edit, run \`npm run docs\`.

A mapping says what one attribute of the target user becomes. It behaves as in Entra's provisioning service; what is ours is marked so.
Sources: Entra \`customize-application-attributes.md\`, \`cross-tenant-synchronization-configure.md\`, Graph
\`synchronization-attributemapping.md\`, \`user-update.md\`. Try any of it without a tenant:

\`\`\`bash
npx cross-cloud-sync map --job emea-to-hub --user ada.json --table                     # the user that would be made, and by which mapping
npx cross-cloud-sync map --job emea-to-hub --user ada.json --target guest.json         # what would change, as JSON
\`\`\`

## The default set

A job without \`mappings\` has these. Entra's own set is not documented as a list: these are the attributes that its pages show, and
those that they recommend to add.

${table(["target", "source within a cloud", "source across clouds"], defaultRows())}

\`userPrincipalName\`, \`userType\`, \`accountEnabled\`, \`manager\` and \`sponsors\` are not mapped: the invitation makes the name, the job
says the type, sign-in follows the source, and the job carries manager and sponsors. One attribute of Entra's set is written only
when you map it: \`showInAddressList\`, because Microsoft advises against setting it through Graph.

**Mail across clouds.** People are invited by their userPrincipalName there, because an address of one cloud is unknown in the other,
and sign-in takes its hint from \`mail\`. So \`mail\` of the target is the name at home. A job across clouds that maps it from something
else starts with a warning.

## Kinds

| kind | set | what flows |
| --- | --- | --- |
| direct | \`source\` | the attribute of the source user |
| constant | \`constant\` | the same for everybody |
| expression | \`expression\` | the result; see [expressions](expressions.md) |
| none | only \`defaultValue\` | nothing; where the target is empty, the default |

## When a value is written

| flowType | new user | target is empty | target has another value | a list in the target | source is empty |
| --- | --- | --- | --- | --- | --- |
| \`Always\` (default) | yes | yes | yes | replaced | nothing is written ¹ |
| \`ObjectAddOnly\` | yes | no | no | kept | nothing is written |
| \`AttributeAddOnly\` | yes | yes | no | kept | nothing is written |
| \`ValueAddOnly\` | yes | yes | yes: the new value is an addition | new values are added | nothing is written |
| \`MultiValueAddOnly\` | yes | yes | no | new values are added | nothing is written |

¹ unless it may be emptied, see below.

- **Same value**: nothing is written. Values that differ in letter case alone are the same, unless the mapping says \`caseExact\`. The
  order of a list means nothing. Two texts of one moment are the same date.
- **\`defaultValue\`** is written when the user is created and the source has nothing, as the portal's documentation says; never on an
  update.
- **Empty at the source**: the target keeps what it has, as in Entra. *Ours:* with \`flowNullValues\` of the job **and** of the mapping
  the attribute is emptied in the target. Only for single values that Graph lets be emptied (see the table), with \`Always\`.
- **\`IgnoreFlowIfNullOrEmpty\`, \`IgnoreAttributeFlow\`**: left out altogether, without default and without emptying. \`IgnoreObjectFlow\`:
  the person is not provisioned.
- **\`flowBehavior\`**: \`FlowWhenChanged\` (default) compares with the target when something has changed at the source; \`FlowAlways\`, and
  expressions with \`Now()\`, at every look.
- **Creations that were interrupted** are finished with what belongs to creations.
- **Values that do not fit** are refused and never cut: the person fails with \`VALUE_TOO_LONG\` or \`MAPPING_FAILED\`, and the log row names
  the attribute. Nobody else waits, and a block of the person's sign-in does not wait either.
- **\`SelectUniqueValue\`** (*ours* between tenants) asks the target, recycle bin included, who has the candidates, and takes the first
  that is free. Two people who are made at the same moment get two values. When all are taken: \`VALUE_NOT_UNIQUE\`. A candidate that is
  too long for the attribute, or does not fit it otherwise, is passed over as if it were taken; when none fits, the first says why.
- **Random values** (\`Guid\`, \`RandomString\`) with \`Always\` change whenever the person is looked at: the app warns of them.

## Source attributes

${table(["name in Graph", "older name of the directory", "kind"], sourceRows())}

\`originalUserPrincipalName\` is the full name of an external user, where \`userPrincipalName\` is the one at home. \`telephoneNumber\` is the
first of \`businessPhones\`. \`IsSoftDeleted\` says whether the account is disabled: whoever is mapped is neither deleted nor out of scope.
Directory extensions: \`extension_{appId without hyphens}_{name}\`, letter case included. A list goes into a single value through an
expression (\`Item\`, \`Join\`). Scoping filters take the same names, without lists and dates.

Not usable:

${table(
  ["name", "why"],
  Object.entries(NOT_USABLE).map(([name, why]) => [code(name), why]),
)}

## Target attributes

${table(["name", "type", "characters", "can be emptied", "can be searched ²", "note"], targetRows())}

² for \`SelectUniqueValue\`. Text of expressions becomes the type of the attribute: \`True\` a Boolean, \`42\` an integer, a date its ISO form.
A part of \`employeeOrgData\` is written with the other part, which Graph would empty otherwise.

**Directory extensions** of the target are declared under \`extensions\` of its tenant, so that values get their type. With
\`create: true\` the app makes a missing one on its own registration (Application.ReadWrite.OwnedBy). A missing one that is not to be
made fails the person with \`EXTENSION_MISSING\`, and the app's log says so. Extensions hold one value; lists of text
(\`multiValued\`) are *ours*.

Not writable; a configuration that maps one is refused:

${table(
  ["name", "why"],
  Object.entries(NOT_WRITABLE).map(([name, why]) => [code(name), why]),
)}
`;
}

const code = (text: string): string => (text === "" ? "" : `\`${text}\``);
const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

function defaultRows(): string[][] {
  const [within, across] = [cloudPair("global", "global"), cloudPair("global", "usGov")];
  if ("refused" in within || "refused" in across) throw new Error("impossible: supported pairs");
  const other = new Map(defaultMappings(across).map(({ target, source }) => [target, source]));
  return defaultMappings(within).map(({ target, source = "" }) => [
    code(target),
    code(source),
    code(other.get(target) ?? ""),
  ]);
}

function sourceRows(): string[][] {
  const older = (reads: string) =>
    [...ALIASES].filter(([, alias]) => alias.reads === reads).map(([name]) => code(name));
  return gathered([...PROPERTIES]).map(([name, { kind }]) => {
    if (name !== ATTRIBUTES) return [code(name), older(name).join(", "), kind];
    return [code(`${name}1\` … \`15`), code("extensionAttribute1` … `15"), kind];
  });
}

const ATTRIBUTES = "onPremisesExtensionAttributes.extensionAttribute";

/** The fifteen extension attributes in one row. */
function gathered<T extends SourceAttribute | TargetAttribute>(all: readonly (readonly [string, T])[]) {
  return all.flatMap(([name, attribute]) => {
    if (!name.startsWith(ATTRIBUTES)) return [[name, attribute] as const];
    return name === `${ATTRIBUTES}1` ? [[ATTRIBUTES, attribute] as const] : [];
  });
}

function targetRows(): string[][] {
  const all = TARGET_NAMES.flatMap((name) => {
    const attribute = targetAttribute(name);
    return attribute ? [[name, attribute] as const] : [];
  });
  const yes = (is: boolean) => (is ? "yes" : "no");
  return gathered(all).map(([name, { type, charactersMax, clearable, filterable, warning, permission, valuesMax }]) => [
    code(name === ATTRIBUTES ? `${name}1\` … \`15` : name),
    valuesMax === undefined ? type : `${type} of ${valuesMax}`,
    charactersMax === undefined ? "" : String(charactersMax),
    yes(clearable),
    yes(filterable),
    warning ?? (permission ? `${permission}, or User.ReadWrite.All` : ""),
  ]);
}
