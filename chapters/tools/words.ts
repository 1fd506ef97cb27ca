/** Words of a command line, the nearest one to a word that is none of them, and lines of words that fit a width. */

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

/** Breaks a line between words; what follows keeps its indentation. Lines with colours are short enough. */
export function wrapped(line: string, columns: number): string[] {
  if (line.length <= columns || line.includes("\x1b")) return [line];
  const indent = /^\s*/.exec(line)![0].slice(0, columns >> 1);
  const lines: string[] = [];
  let rest = line;
  while (rest.length > columns) {
    const space = rest.lastIndexOf(" ", columns);
    const cut = space > indent.length ? space : columns;
    lines.push(rest.slice(0, cut).trimEnd());
    rest = indent + rest.slice(cut).trimStart();
  }
  return [...lines, rest];
}

/** What `head` begins, with all its lines under the first one's text. */
export function hanging(head: string, text: string, columns: number): string[] {
  const [first = "", ...more] = wrapped(" ".repeat(head.length) + text, columns);
  return [head + first.trimStart(), ...more];
}
