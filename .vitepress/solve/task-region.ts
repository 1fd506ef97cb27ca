/** The parts of a layer file that a task is to write, found by their markers. Pure. */
import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import { findRegions, type Region } from "../../chapters/tools/regions.ts";

type Regions = Pick<Task, "regions">;

/** The task's regions in a text; none where the markers are gone or broken. */
export function regionsOf({ regions }: Regions, text: string): Region[] {
  try {
    return findRegions("", text).filter(({ name }) => regions.includes(name));
  } catch {
    return [];
  }
}

/** What stands in the task's regions, for a comparison that shows no other exercise. */
export function partsOf(task: Regions, text: string): string | undefined {
  const lines = text.split("\n");
  const parts = regionsOf(task, text).map(({ start, end }) => lines.slice(start + 1, end).join("\n"));
  return parts.length === 0 ? undefined : `${parts.join("\n\n// …\n\n")}\n`;
}
