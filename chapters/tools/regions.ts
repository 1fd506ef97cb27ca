/**
 * Regions of a source file: `// #region name … // #endregion name`, in pairs, at most one inside another.
 * The book shows regions; those called `exercise-…` are also what a starter leaves out.
 */

export interface Region {
  readonly name: string;
  /** Lines of the two markers, counted from 0. */
  readonly start: number;
  readonly end: number;
  /** 0 outside, 1 inside another region. */
  readonly depth: number;
  /** White space before the opening marker. */
  readonly indent: string;
}

/** A marker that has no partner or stands where it may not. `line` counts from 1. */
export class RegionError extends Error {
  override readonly name = "RegionError";
  constructor(
    readonly file: string,
    readonly line: number,
    problem: string,
  ) {
    super(`${file}:${line}: ${problem}`);
  }
}

const MARKER = /^(\s*)\/\/ #(region|endregion)(?: (.*?))?\s*$/;
const DEEPEST = 1;

/** All regions in the order of their opening markers. */
export function findRegions(file: string, text: string): Region[] {
  const open: { name: string; start: number; indent: string }[] = [];
  const regions: Region[] = [];
  text.split("\n").forEach((line, number) => {
    const [, indent = "", kind, name = ""] = MARKER.exec(line) ?? [];
    if (!kind) return;
    const wrong = (problem: string) => new RegionError(file, number + 1, problem);
    if (!/^[a-z0-9-]+$/.test(name)) throw wrong(`the name of a region is small letters, digits and hyphens`);
    if (kind === "region") {
      const outer = open.at(-1);
      if (open.length > DEEPEST)
        throw wrong(`region ${name} is nested too deep: one inside another is the most`);
      if (outer?.name.startsWith("exercise-"))
        throw wrong(`region ${name} is inside of exercise ${outer.name}`);
      open.push({ name, start: number, indent });
    } else {
      const region = open.pop();
      if (!region) throw wrong(`#endregion ${name} ends no region`);
      if (region.name !== name) throw wrong(`#endregion ${name}, but the open region is ${region.name}`);
      regions.push({ ...region, end: number, depth: open.length });
    }
  });
  const left = open.at(-1);
  if (left) throw new RegionError(file, left.start + 1, `region ${left.name} has no #endregion`);
  return regions.sort((a, b) => a.start - b.start);
}
