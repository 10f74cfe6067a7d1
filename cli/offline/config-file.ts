import { Option } from "commander";
import { ConfigInvalid, type LoadedConfig, loadConfig, type Mistake } from "../../shared/config/load.ts";
import { readText } from "../files.ts";

/** Which configuration a command works on. */
export const configOption = (): Option =>
  new Option("--config <file>", "the configuration").env("SYNC_CONFIG").default("sync.config.json");

const REMEDY = "Name the configuration with --config or SYNC_CONFIG; docs/configuration.md shows how to write one.";

/** Throws `ConfigInvalid` with every mistake, `UsageError` for a file that cannot be read. */
export const readConfig = (file: string): LoadedConfig => loadConfig(readText(file, REMEDY), file);

export interface ConfigRefusal {
  error: { code: string; message: string };
  mistakes: readonly Mistake[];
}

/** The answer to a configuration with mistakes; anything else that was thrown goes on. */
export function refusalOf(error: unknown): ConfigRefusal {
  if (!(error instanceof ConfigInvalid)) throw error;
  return { error: { code: "CONFIG_INVALID", message: error.message }, mistakes: error.mistakes };
}
