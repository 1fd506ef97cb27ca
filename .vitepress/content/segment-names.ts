import { CS, DS, ES, FS, GS, SS } from "#layers/02-real-mode/registers.ts";

/** The manual's names of the segment registers, by their index in the register file. */
export const SEGMENT_NAMES: ReadonlyMap<number, string> = new Map([
  [ES, "ES"],
  [CS, "CS"],
  [SS, "SS"],
  [DS, "DS"],
  [FS, "FS"],
  [GS, "GS"],
]);
