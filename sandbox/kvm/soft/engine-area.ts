/**
 * The engine area: the first 4 MiB of a memory that `allocateMemory` made, where the processors that use the
 * memory keep their registers and TLBs.
 */
import { CPU_AREA } from "../../cpu/cpu.ts";

export const ENGINE_AREA = 4 * 2 ** 20;
export const MAX_VCPUS = Math.floor(ENGINE_AREA / CPU_AREA);

/** Memories that have an engine area. */
export const engineMemories = new WeakSet<WebAssembly.Memory>();
const taken = new WeakMap<WebAssembly.Memory, Set<number>>();

/** Where in `memory` a new processor may live; -1 if there is no room, or no engine area. */
export function takeCpuArea(memory: WebAssembly.Memory): number {
  if (!engineMemories.has(memory)) return -1;
  const areas = taken.get(memory) ?? new Set<number>();
  taken.set(memory, areas);
  for (let number = 0; number < MAX_VCPUS; number++) {
    if (areas.has(number)) continue;
    areas.add(number);
    return number * CPU_AREA;
  }
  return -1;
}

export function returnCpuArea(memory: WebAssembly.Memory, area: number): void {
  taken.get(memory)?.delete(area / CPU_AREA);
}
