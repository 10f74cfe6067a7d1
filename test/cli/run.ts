import { vi } from "vitest";
import { run as runCommand } from "../../cli/program.ts";

export interface Ended {
  status: number;
  stderr: string;
  stdout: string;
  /** Standard output, line by line. */
  answers: readonly unknown[];
}

/** A command of the program within this process: what a process of its own would write, and how it would end. */
export async function run(...args: readonly string[]): Promise<Ended> {
  const written = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      written[name] += String(text);
      return true;
    }),
  );
  const before = process.exitCode;
  process.exitCode = 0;
  try {
    await runCommand(args);
    return { status: Number(process.exitCode), ...written, answers: answersIn(written.stdout) };
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
}

const answersIn = (stdout: string): readonly unknown[] =>
  stdout
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): unknown => JSON.parse(line));
