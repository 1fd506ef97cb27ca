/** What the page and the worker of its test bench say to each other. */
import type { SourceLine } from "../../sandbox/session/protocol.ts";
import type { Outcome } from "./bench.ts";
import type { LayerFiles } from "./learner-modules.ts";

/** Runs the tests of some tasks, in their order, on the files. */
export interface RunRequest {
  readonly run: number;
  readonly chapter: string;
  readonly files: LayerFiles;
  readonly tasks: readonly string[];
}

export type BenchMessage =
  | { readonly run: number; readonly kind: "outcome"; readonly outcome: Outcome }
  /** The files are no program: nothing was tested. */
  | { readonly run: number; readonly kind: "broken"; readonly message: string; readonly place?: SourceLine }
  /** The bench itself has a defect, or could not be fetched. */
  | { readonly run: number; readonly kind: "failure"; readonly message: string }
  | { readonly run: number; readonly kind: "done" };
