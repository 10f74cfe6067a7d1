import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";

/** Runs `action`; with a file, a CPU profile of this process is written there meanwhile. It opens in any browser's developer tools. */
export async function profiled<T>(file: string | undefined, action: () => Promise<T>): Promise<T> {
  if (file === undefined) return action();
  const session = new Session();
  session.connect();
  try {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 500 });
    await session.post("Profiler.start");
    const result = await action();
    const { profile } = await session.post("Profiler.stop");
    await writeFile(file, JSON.stringify(profile));
    return result;
  } finally {
    session.disconnect();
  }
}
