/** Puts the constructors that count (memory-budget.ts) into a learner's file, where it uses them. */
const NAMES =
  /\b(?:Array|ArrayBuffer|SharedArrayBuffer|Float(?:32|64)Array|Uint8ClampedArray|(?:Uint|Int)(?:8|16|32)Array|Big(?:Ui|I)nt64Array)\b/g;

/** JavaScript of the same lines; what follows them imports from `module`. */
export function underBudget(code: string, module: string): string {
  const used = [...new Set(code.match(NAMES) ?? [])].filter(name => !declares(code, name));
  if (used.length === 0) return code;
  const values = used.map(name => `${name}=$budgeted.${name}`).join(",");
  return `import{BUDGETED as $budgeted}from ${JSON.stringify(module)};var ${values};${code}`;
}

/** A file that has something of its own under the name keeps it. */
function declares(code: string, name: string): boolean {
  return new RegExp(`\\b(?:class|function|const|let|var|as)\\s+${name}\\b|[{,]\\s*${name}\\s*[,}]`).test(
    code,
  );
}
