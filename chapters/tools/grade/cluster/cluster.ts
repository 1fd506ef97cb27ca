/**
 * `npm run grade N cluster github|kubernetes`: what grades a class on many machines. Both are made of the
 * same two commands: `npm run grade N FOLDER shard=i/n` for each part, and `npm run grade merge` for all.
 */
import { join, resolve } from "node:path";
import { Complaint } from "../../complaint.ts";
import type { Wish } from "../options.ts";
import { writeWhole } from "../write-file.ts";
import { githubFiles } from "./github.ts";
import { kubernetesFiles } from "./kubernetes.ts";

export interface ClusterPlan {
  readonly shards: number;
  /** What is graded, and how: words that every shard gets, as ["5", "6", "format=gradescope"]. */
  readonly words: readonly string[];
  /** Words that merging needs, too. */
  readonly mergeWords: readonly string[];
  /** Kubernetes: where the image of the grader lies. */
  readonly image: string;
}

const SHARDS = 8;
const MOST_SHARDS = 256; // a matrix of GitHub Actions has no more jobs
const IMAGE = "vmexit-grader:latest";

/** Files by name, e.g. "grade-class.yml". */
export type ClusterFiles = ReadonlyMap<string, string>;

const SYSTEMS: Readonly<Record<"github" | "kubernetes", (plan: ClusterPlan) => ClusterFiles>> = {
  github: githubFiles,
  kubernetes: kubernetesFiles,
};

/** Writes the files and returns the lines to print. */
export function writeCluster(wish: Wish): string[] {
  const system = (["github", "kubernetes"] as const).find(name => wish.words.has(name));
  if (!system) throw new Complaint("which cluster? npm run grade N|all cluster github, or kubernetes", 2);
  const files = SYSTEMS[system](planOf(wish));
  const out = resolve(wish.out ?? (system === "github" ? ".github/workflows" : "cluster"));
  for (const [name, text] of files) writeWhole(join(out, name), text);
  return [...files.keys()].map(name => `${join(out, name)}: written`);
}

export function planOf({ chapters, formats, tasks, due, handedIn, shards, image }: Wish): ClusterPlan {
  const count = shards ?? SHARDS;
  if (count > MOST_SHARDS) throw new Complaint(`shards are at most ${MOST_SHARDS}, not ${count}`, 2);
  const format = formats.length > 0 ? [`format=${formats.join(",")}`] : [];
  return {
    shards: count,
    words: [
      ...chapters.map(({ number }) => String(number)),
      ...(tasks.length > 0 ? [`task=${tasks.join(",")}`] : []),
      ...(due === undefined ? [] : [`due=${plain(due)}`]),
      ...(handedIn === undefined ? [] : [`handed=${plain(handedIn)}`]),
      ...format,
    ],
    mergeWords: format,
    image: image ?? IMAGE,
  };
}

/** A path that stands in a shell's command as it is. */
function plain(path: string): string {
  if (!/^[\w./@+-]+$/.test(path))
    throw new Complaint(`“${path}”: a path in a cluster's command has only letters, digits and ./@+-_`, 2);
  return path;
}
