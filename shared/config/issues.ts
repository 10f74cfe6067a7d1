import type * as z from "zod";

export type Issue = z.core.$ZodIssue;

/** Of a setting with several forms: what is wrong with the form that was meant, the one that was understood furthest. */
export function plainIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union") return [issue];
  const depth = (issues: readonly Issue[]) => Math.max(0, ...issues.map(({ path }) => path.length));
  const forms = issue.errors.toSorted((a, b) => depth(b) - depth(a));
  const [meant] = forms;
  if (!meant || depth(meant) === 0) return [issue];
  return meant.flatMap((one) => plainIssues({ ...one, path: [...issue.path, ...one.path] }));
}
