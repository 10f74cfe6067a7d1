import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** A deployed app as the worker finds it: `package.json` names the entry points, `host.json` the host's settings. */
export interface AppFolder {
  folder: string;
  /** The glob of `package.json`. */
  main: string;
  /** Absolute, in order. */
  files: readonly string[];
  /** Whether the file is loaded with `import()`, as the worker decides it. */
  isModule(file: string): boolean;
  hostJson: Readonly<Record<string, unknown>>;
}

export function readAppFolder(folder: string): AppFolder {
  const { main, type } = readJson(join(folder, "package.json"));
  if (typeof main !== "string" || main === "") throw new Error(`${folder}/package.json has no "main".`);
  const matches = globToRegExp(main);
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((file) => file.replaceAll("\\", "/"))
    .filter((file) => !file.startsWith("node_modules/") && matches.test(file))
    .sort()
    .map((file) => resolve(folder, file));
  if (files.length === 0) throw new Error(`Found zero files matching the supplied pattern "${main}" in ${folder}.`);
  return {
    folder,
    main,
    files,
    isModule: (file) => file.endsWith(".mjs") || (type === "module" && !file.endsWith(".cjs")),
    hostJson: readJson(join(folder, "host.json")),
  };
}

function readJson(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw new Error(`${file} is missing: this is not the folder of a function app.`);
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
  } catch (cause) {
    throw new Error(`${file} is not JSON.`, { cause });
  }
}

/** `*`, `**`, `?` and `{a,b}`, as far as a `main` needs them. */
export function globToRegExp(glob: string): RegExp {
  const source = glob.replace(/^\.\//, "").replace(/\*\*\/|\*\*|\*|\?|[{},]|[.+^$()|[\]\\]/g, (part) => {
    switch (part) {
      case "**/":
        return "(?:.*/)?";
      case "**":
        return ".*";
      case "*":
        return "[^/]*";
      case "?":
        return "[^/]";
      case "{":
        return "(?:";
      case "}":
        return ")";
      case ",":
        return "|";
      default:
        return `\\${part}`;
    }
  });
  return new RegExp(`^${source}$`);
}
