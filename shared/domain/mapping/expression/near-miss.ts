const NAME_MAX = 40;
const DISTANCE_MAX = 2;

/** The known name that was probably meant: the same but for case, or at most two letters away. */
function nearMiss(name: string, known: Iterable<string>): string | undefined {
  if (name.length > NAME_MAX) return undefined;
  const lower = name.toLowerCase();
  let best: string | undefined;
  let least = Math.min(DISTANCE_MAX, Math.floor(name.length / 2)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const other = candidate.toLowerCase();
    const distance = other === lower ? 0 : editDistance(lower, other);
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

export const didYouMean = (name: string, known: Iterable<string>): string => {
  const meant = nearMiss(name, known);
  return meant === undefined ? "" : ` Did you mean ${meant}?`;
};

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
