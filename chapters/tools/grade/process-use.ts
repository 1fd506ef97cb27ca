/** What a process has used of this machine, as Linux's /proc tells it. Elsewhere nothing is known. */
import { readFileSync } from "node:fs";

export interface Use {
  /** Of the process and its children, in seconds. */
  readonly processor: number;
  /** Resident, of both, in bytes. */
  readonly memory: number;
  /** Whether none of them has anything to do: they wait for something that is not the processor. */
  readonly isAsleep: boolean;
}

/** _SC_CLK_TCK is 100 on every Linux that Node runs on. */
const TICKS = 100;
const PAGE = 4096;

/** Undefined where there is no /proc or no such process. */
export function useOf(pid: number): Use | undefined {
  const own = useOfOne(pid);
  if (!own) return undefined;
  return childrenOf(pid).reduce((sum, child) => {
    const use = useOf(child);
    if (!use) return sum;
    return {
      processor: sum.processor + use.processor,
      memory: sum.memory + use.memory,
      isAsleep: sum.isAsleep && use.isAsleep,
    };
  }, own);
}

function useOfOne(pid: number): Use | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the name in parentheses, which may hold anything; the state is field 3, utime 14, rss 24.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    const field = (number: number) => Number(fields[number - 3]);
    return {
      processor: (field(14) + field(15)) / TICKS,
      memory: field(24) * PAGE,
      isAsleep: fields[0] === "S",
    };
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "latin1").split(" ").filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
