/** One way in which a new configuration protects less than the one before it. */
export interface Weakening {
  /** As in the new configuration: `jobs.emea-to-hub.userType`. */
  path: string;
  what: string;
  /** The target that it concerns; absent: the whole deployment. */
  targetTenantId?: string;
}

const LINES_MAX = 50;
const LINE_MAX = 400;

/** A line each for whoever decides, so many that they fit into a row (a property of Table Storage holds 32,000 characters). */
export function told(weakenings: readonly Weakening[]): readonly string[] {
  const lines = weakenings.slice(0, LINES_MAX).map(({ path, what }) => `${path}: ${what}`.slice(0, LINE_MAX));
  const more = weakenings.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more, which \`status\` lists`] : lines;
}
