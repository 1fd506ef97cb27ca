/** Words of a command line, and the nearest one to a word that is none of them. */

/** The number of letters to insert, drop or change to get from one word to the other. */
export function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, at) => at);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}

/** The known word that is most like `word`, if any is at all. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const ranked = known
    .map(candidate => ({ candidate, distance: editDistance(word.toLowerCase(), candidate) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(1, Math.floor(best.candidate.length / 2))
    ? best.candidate
    : undefined;
}

/** "unknown word …", with the nearest known one or all of them. */
export function unknownWord(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return `unknown word “${word}”: ${near ? `did you mean “${near}”?` : `known are ${known.join(", ")}`}`;
}
