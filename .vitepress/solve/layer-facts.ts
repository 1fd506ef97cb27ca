import type { Task } from "../../chapters/tools/chapter-manifest.ts";
import type { Declaration } from "./declarations.ts";
import type { LayerFiles } from "./learner-modules.ts";

/** What the editor of a chapter begins with. */
export interface LayerFacts {
  readonly tasks: readonly Task[];
  /** Every file of the layer as a learner finds it. */
  readonly starters: LayerFiles;
  readonly declarations: readonly Declaration[];
}
