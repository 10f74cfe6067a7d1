import { cloudPair } from "../../domain/cloud.ts";
import { defaultMappings } from "../../domain/mapping/map.ts";
import type { AttributeMapping } from "../../domain/mapping/mapping.ts";
import type { JobConfig, SyncConfig } from "../schema.ts";

/** What a job and a synchronization schema both say. The keys are those of a job in `sync.config.json`. */
export interface SchemaRules {
  /** `undefined`: the schema does not say it, and the job needs it. */
  userType?: JobConfig["userType"];
  changeUserType: boolean;
  manager: boolean;
  flowNullValues: boolean;
  actions: JobConfig["actions"];
  scope: Pick<JobConfig["scope"], "filter" | "inputFilter">;
  mappings: readonly AttributeMapping[];
}

/** The rules of a job, with what it leaves to the defaults. `job` is one of `config`, which has been loaded. */
export function rulesOfJob({ tenants }: SyncConfig, job: JobConfig): SchemaRules {
  const cloudOf = (name: string) => tenants.find((tenant) => tenant.name === name)?.cloud ?? "global";
  const clouds = cloudPair(cloudOf(job.source), cloudOf(job.target));
  const across = "refused" in clouds ? { crossCloud: true, manager: false, unlisted: false } : clouds;
  const { filter, inputFilter } = job.scope;
  return {
    userType: job.userType,
    changeUserType: job.changeUserType,
    manager: job.manager ?? across.manager,
    flowNullValues: job.flowNullValues,
    actions: job.actions,
    scope: { ...(filter ? { filter } : {}), ...(inputFilter ? { inputFilter } : {}) },
    mappings: job.mappings ?? defaultMappings(across),
  };
}
