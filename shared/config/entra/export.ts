import type { AttributeMapping } from "../../domain/mapping/mapping.ts";
import {
  type AttributeDefinition,
  definitionOf,
  entraName,
  entraSource,
  entraTarget,
  SOURCE_DIRECTORY,
  TARGET_DIRECTORY,
  USER,
} from "../../domain/schema/directory.ts";
import {
  attributeSource,
  constantSource,
  type MappingSource,
  namesIn,
  sourceOf,
  withNames,
} from "../../domain/schema/mapping-source.ts";
import type { FilterGroup } from "../../domain/scoping-filter.ts";
import { filterOf } from "../filter.ts";
import type { SchemaRules } from "./rules.ts";

/** Stands for the ids that only a tenant's own schema has: whoever hands the file to Graph puts theirs in. */
export const NO_ID = "00000000-0000-0000-0000-000000000000";
export const RULE_NAME = "USER_INBOUND_USER";
export const MAPPING_NAME = "Provision Azure Active Directory Users";
/** Our own entry among the rule's metadata: Entra has no place for a null that flows between tenants. */
export const NULLS_KEY = "cross-cloud-sync.flowNullValues";
export const FLOW_NAMES = { create: "Add", update: "Update", delete: "Delete" } as const;

interface AttributeMappingJson {
  defaultValue: string | null;
  exportMissingReferences: false;
  flowBehavior: string;
  flowType: string;
  matchingPriority: number;
  source: MappingSource | null;
  targetAttributeName: string;
}

/**
 * The rules of a job as Graph's synchronizationSchema. `beta`: with the two keys of a rule that only that version documents.
 * Source: Graph `synchronization-synchronizationschema.md` and the pages of its parts.
 */
export function exportSchema(rules: SchemaRules, { beta = false }: { beta?: boolean } = {}) {
  const mappings = [...ownMappings(rules), ...rules.mappings.map(mappingJson)];
  const nulls = rules.mappings.flatMap(({ flowNullValues, target }) => (flowNullValues ? [target] : []));
  return {
    synchronizationRules: [
      {
        ...(beta ? { containerFilter: null, groupFilter: null } : {}),
        editable: true,
        id: NO_ID,
        metadata: rules.flowNullValues ? [{ key: NULLS_KEY, value: JSON.stringify(nulls) }] : [],
        name: RULE_NAME,
        objectMappings: [
          {
            attributeMappings: mappings,
            enabled: true,
            flowTypes: flowTypes(rules.actions),
            metadata: [],
            name: MAPPING_NAME,
            scope: scopeOf(rules),
            sourceObjectName: USER,
            targetObjectName: USER,
          },
        ],
        priority: 1,
        sourceDirectoryName: SOURCE_DIRECTORY,
        targetDirectoryName: TARGET_DIRECTORY,
      },
    ],
    directories: [
      directory(SOURCE_DIRECTORY, sourceDefinitions(rules)),
      directory(TARGET_DIRECTORY, targetDefinitions(rules)),
    ],
  };
}

const flowTypes = (actions: SchemaRules["actions"]): string =>
  (["create", "update", "delete"] as const)
    .flatMap((action) => (actions[action] ? [FLOW_NAMES[action]] : []))
    .join(", ");

const plain = (
  target: string,
  source: MappingSource | null,
  { flowType, flowBehavior, defaultValue, matchingPriority }: Partial<AttributeMapping> = {},
): AttributeMappingJson => ({
  defaultValue: defaultValue ?? null,
  exportMissingReferences: false,
  flowBehavior: flowBehavior ?? "FlowWhenChanged",
  flowType: flowType ?? "Always",
  matchingPriority: matchingPriority ?? 0,
  source,
  targetAttributeName: target,
});

/** What is a setting of the job here, and a mapping in Entra. */
function ownMappings({ userType, changeUserType, manager }: SchemaRules): readonly AttributeMappingJson[] {
  const type = userType && constantSource(userType === "member" ? "Member" : "Guest");
  const flowType = changeUserType ? "Always" : "ObjectAddOnly";
  return [
    plain("accountEnabled", attributeSource("accountEnabled")),
    ...(type ? [plain("userType", type, { flowType })] : []),
    ...(manager ? [plain("manager", attributeSource("manager"))] : []),
  ];
}

const mappingJson = (mapping: AttributeMapping): AttributeMappingJson =>
  plain(entraTarget(mapping.target), sourceJson(mapping), mapping);

function sourceJson({ target, source, constant, expression }: AttributeMapping): MappingSource | null {
  if (source !== undefined) return attributeSource(entraSource(source, target));
  if (constant !== undefined) return constantSource(String(constant));
  return expression === undefined ? null : (sourceOf(withNames(expression, entraName)) ?? null);
}

function scopeOf({ scope }: SchemaRules) {
  const filter = filterOf(scope);
  if (!filter) return null;
  const groups = (set: readonly FilterGroup[] | null | undefined) =>
    (set ?? []).map(({ name, clauses }) => ({
      clauses: clauses.map(({ operatorName, sourceOperandName, targetOperand }) => ({
        operatorName,
        sourceOperandName: entraName(sourceOperandName),
        targetOperand: { values: [...(targetOperand?.values ?? [])] },
      })),
      name: name ?? null,
    }));
  return {
    categoryFilterGroups: groups(filter.categoryFilterGroups),
    groups: groups(filter.groups),
    inputFilterGroups: groups(filter.inputFilterGroups),
  };
}

const directory = (name: string, attributes: readonly AttributeDefinition[]) => ({
  id: NO_ID,
  name,
  objects: [{ attributes, metadata: [], name: USER, supportedApis: [] }],
});

function sourceDefinitions(rules: SchemaRules): readonly AttributeDefinition[] {
  const nulls = new Set(rules.mappings.flatMap((mapping) => (mapping.flowNullValues ? sourceNames(mapping) : [])));
  const filter = filterOf(rules.scope);
  const filtered = [...(filter?.groups ?? []), ...(filter?.inputFilterGroups ?? [])].flatMap(({ clauses }) =>
    clauses.map(({ sourceOperandName }) => entraName(sourceOperandName)),
  );
  const own = ["objectId", "accountEnabled", ...(rules.manager ? ["manager"] : [])];
  const names = [...own, ...rules.mappings.flatMap(sourceNames), ...filtered];
  return [...new Set(names)].map((name) => definitionOf(name, { flowNullValues: nulls.has(name) }));
}

function sourceNames({ target, source, expression }: AttributeMapping): readonly string[] {
  if (source !== undefined) return [entraSource(source, target)];
  return expression === undefined ? [] : namesIn(expression).map(entraName);
}

function targetDefinitions(rules: SchemaRules): readonly AttributeDefinition[] {
  const own = [
    "objectId",
    "accountEnabled",
    ...(rules.userType ? ["userType"] : []),
    ...(rules.manager ? ["manager"] : []),
  ];
  return [
    ...own.map((name) => definitionOf(name)),
    ...rules.mappings.map(({ target, caseExact, constant }) =>
      definitionOf(entraTarget(target), { caseExact: caseExact === true, boolean: typeof constant === "boolean" }),
    ),
  ];
}
