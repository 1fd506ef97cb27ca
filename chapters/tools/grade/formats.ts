/** The formats that a result can be written in: pure functions of the canonical result. */
import type { GradeResult } from "./result.ts";

export interface Format {
  /** The name of its file. */
  readonly file: string;
  /** From the canonical result to the file's text. */
  readonly write: (result: GradeResult) => string;
}

export const FORMATS: Readonly<Record<string, Format>> = {};
