import * as z from "zod";
import { npm } from "./npm.ts";

/**
 * `npm run audit`: known vulnerabilities of high severity and above in what is installed. Ends with 0 when there are none, 1
 * when there are, 2 when the registry does not say: an unanswered question is no clean bill.
 */
const Counts = z.object({ high: z.int(), critical: z.int() });
const Answer = z.object({
  metadata: z.object({ vulnerabilities: Counts }),
  vulnerabilities: z.record(z.string(), z.object({ severity: z.string(), range: z.string().optional() })),
});
const Refusal = z.object({ message: z.string().optional(), error: z.object({ summary: z.string() }).optional() });

export type Verdict = { status: 0 | 1 | 2; lines: readonly string[] };

export function verdictOf(output: string): Verdict {
  let json: unknown;
  try {
    json = JSON.parse(output);
  } catch {
    return unanswered("it gave no answer");
  }
  const answer = Answer.safeParse(json);
  if (!answer.success) {
    const { message, error } = Refusal.safeParse(json).data ?? {};
    return unanswered(message ?? (error?.summary || "its answer says nothing about vulnerabilities"));
  }
  const { high, critical } = answer.data.metadata.vulnerabilities;
  if (high + critical === 0) return { status: 0, lines: ["No known vulnerability of high severity or above."] };
  const found = Object.entries(answer.data.vulnerabilities).filter(([, { severity }]) =>
    /^(high|critical)$/.test(severity),
  );
  return {
    status: 1,
    lines: [
      `${critical} critical and ${high} high:`,
      ...found.map(([name, { severity, range = "*" }]) => `  ${name} ${range}: ${severity}`),
      "Run `npm audit` for the advisories and what mends them.",
    ],
  };
}

const unanswered = (why: string): Verdict => ({
  status: 2,
  lines: [
    `The registry does not tell about vulnerabilities (${why}). Ask one that does: npm run audit where it is reachable.`,
  ],
});

if (import.meta.main) {
  const { status, lines } = verdictOf(npm("audit", "--json"));
  for (const line of lines) console.log(line);
  process.exitCode = status;
}
