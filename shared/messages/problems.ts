/** What is wrong with a message, without anything that stood in it: unknown keys are the sender's words. */
export function problemsOf({
  issues,
}: {
  issues: readonly { code: string; path: readonly PropertyKey[]; message: string; keys?: readonly string[] }[];
}): readonly string[] {
  return issues.map(({ code, path, message, keys }) => {
    const what = code === "unrecognized_keys" ? `${keys?.length ?? 1} unknown keys` : message;
    return `${path.map(String).join(".") || "(root)"}: ${what}`;
  });
}
