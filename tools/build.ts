import { existsSync, readdirSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";

/**
 * `npm run build`: the function app as it is deployed, in `dist/`. The official Node worker reads `main` as a glob, loads
 * what matches and nothing else; so shared and lazy code lies in `chunks/`, beside `functions/` and not in it.
 */
export interface BuiltApp {
  folder: string;
  /** Base names of the entry points, without extension. */
  entryPoints: readonly string[];
  /** Of the JavaScript; source maps not counted. */
  bytes: number;
}

/** What bundled CommonJS needs in an ES module; without `require` the app would register nothing, without an error. */
const BANNER =
  "import{createRequire as __r}from'node:module';const require=__r(import.meta.url);const __dirname=import.meta.dirname;";

/**
 * Bundles every `.ts` file of `entryFolder` into `outFolder`, with the `host.json` that lies beside `entryFolder`.
 * `outFolder` is replaced as a whole. Throws when there is nothing to build or when the code does not bundle.
 */
export async function buildApp(entryFolder: string, outFolder: string): Promise<BuiltApp> {
  const base = dirname(resolve(entryFolder));
  const files = existsSync(entryFolder) ? readdirSync(entryFolder).filter((file) => file.endsWith(".ts")) : [];
  if (files.length === 0)
    throw new Error(`Nothing to build: ${entryFolder} has no .ts file. Each file there is one function.`);
  const hostFile = join(base, "host.json");
  if (!existsSync(hostFile)) throw new Error(`Nothing to deploy: ${hostFile} is missing.`);

  // Built beside and moved: a reader of the old folder never sees half of the new one.
  const fresh = `${resolve(outFolder)}.${process.pid}`;
  await rm(fresh, { recursive: true, force: true });
  try {
    const { metafile } = await build({
      absWorkingDir: base,
      entryPoints: files.map((file) => join(resolve(entryFolder), file)),
      outdir: fresh,
      outbase: base,
      bundle: true,
      splitting: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "node22",
      external: ["@azure/functions-core"],
      chunkNames: "chunks/[name]-[hash]",
      sourcemap: true,
      sourcesContent: false,
      banner: { js: BANNER },
      metafile: true,
      logLevel: "error",
    });
    await copyFile(hostFile, join(fresh, "host.json"));
    await writeFile(join(fresh, "package.json"), `${JSON.stringify(await packageOf(entryFolder), null, 2)}\n`);
    await rm(outFolder, { recursive: true, force: true });
    await mkdir(dirname(resolve(outFolder)), { recursive: true });
    await rename(fresh, outFolder);
    const bytes = Object.entries(metafile.outputs)
      .filter(([file]) => file.endsWith(".js"))
      .reduce((sum, [, output]) => sum + output.bytes, 0);
    return { folder: outFolder, entryPoints: files.map((file) => basename(file, ".ts")), bytes };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** Everything is bundled, so there is nothing to install; `type` makes the worker load the files with `import()`. */
async function packageOf(entryFolder: string): Promise<object> {
  const ours = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8")) as Record<
    string,
    unknown
  >;
  return {
    name: ours.name,
    version: ours.version,
    private: true,
    type: "module",
    main: `${basename(resolve(entryFolder))}/*.js`,
    engines: { node: ">=22" },
  };
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const app = await buildApp("functions", "dist");
    console.log(`dist/ has ${app.entryPoints.length} functions files, ${(app.bytes / 1e6).toFixed(1)} MB of code.`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
