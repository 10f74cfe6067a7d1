import { mkdir, writeFile } from "node:fs/promises";
import * as z from "zod";
import { npm } from "./npm.ts";

/**
 * `npm run sbom`: the packages of the deployed app as CycloneDX, made by npm from the lock file. Into
 * `dist/sbom.cdx.json`, or to standard output with `-- --stdout`.
 */
export const FILE = "dist/sbom.cdx.json";

const Component = z.looseObject({
  "bom-ref": z.string(),
  properties: z.array(z.object({ name: z.string(), value: z.string() })).default([]),
});
const Sbom = z.looseObject({
  components: z.array(Component),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
});

/** Tools of development are taken out here: with `--omit dev` npm leaves out what a tool depends on too. */
export function sbom(): string {
  const all = Sbom.parse(
    JSON.parse(npm("sbom", "--package-lock-only", "--sbom-format", "cyclonedx", "--sbom-type", "application")),
  );
  const isTool = ({ properties }: z.infer<typeof Component>) =>
    properties.some(({ name, value }) => name === "cdx:npm:package:development" && value === "true");
  const tools = new Set(all.components.filter(isTool).map((component) => component["bom-ref"]));
  const stays = (ref: string) => !tools.has(ref);
  const own = {
    ...all,
    components: all.components.filter((component) => stays(component["bom-ref"])),
    dependencies: all.dependencies
      .filter(({ ref }) => stays(ref))
      .map((one) => ({ ...one, dependsOn: (one.dependsOn ?? []).filter(stays) })),
  };
  return `${JSON.stringify(own, null, 2)}\n`;
}

if (import.meta.main) {
  const text = sbom();
  if (process.argv.includes("--stdout")) process.stdout.write(text);
  else {
    await mkdir("dist", { recursive: true });
    await writeFile(FILE, text);
    console.log(FILE);
  }
}
