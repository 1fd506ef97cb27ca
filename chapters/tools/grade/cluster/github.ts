/**
 * A workflow for GitHub Actions: a matrix of shards, and a job that merges what they uploaded
 * (GitHub, "Workflow syntax for GitHub Actions").
 *
 * A shard whose grader failed fails the job, and nothing is merged; “Re-run failed jobs” runs only it.
 */
import { stringify } from "yaml";
import type { ClusterFiles, ClusterPlan } from "./cluster.ts";

const NODE = 22;

const expression = (text: string) => `\${{ ${text} }}`;

const CHECKOUT = { uses: "actions/checkout@v6", with: { "persist-credentials": false } };
const SETUP = [
  CHECKOUT,
  { uses: "actions/setup-node@v6", with: { "node-version": NODE, cache: "npm" } },
  { run: "npm ci" },
];

/** Ubuntu keeps user namespaces from programs that it does not know; bubblewrap needs one. */
const ISOLATION = `sudo apt-get update
sudo apt-get install --yes --no-install-recommends bubblewrap
sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0
`;

export function githubFiles({ shards, words, mergeWords }: ClusterPlan): ClusterFiles {
  const workflow = {
    name: "Grade a class",
    on: {
      workflow_dispatch: {
        inputs: {
          submissions: {
            description: "the folder of submissions in this repository",
            type: "string",
            required: true,
            default: "submissions",
          },
        },
      },
    },
    permissions: { contents: "read" },
    jobs: {
      grade: {
        name: `Part ${expression("matrix.shard")} of ${shards}`,
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 120,
        strategy: {
          "fail-fast": false,
          matrix: { shard: Array.from({ length: shards }, (_, at) => at + 1) },
        },
        steps: [
          ...SETUP,
          { name: "Prepare isolation", run: ISOLATION },
          {
            name: "Grade",
            run: `npm run -s grade ${words.join(" ")} "$SUBMISSIONS" shard="$SHARD/${shards}" seed="$SEED" isolation="$ISOLATION" out="part-$SHARD"\n`,
            env: {
              SUBMISSIONS: expression("inputs.submissions"),
              SHARD: expression("matrix.shard"),
              SEED: expression("secrets.VMEXIT_GRADE_SEED"),
              ISOLATION: "bubblewrap",
            },
          },
          {
            uses: "actions/upload-artifact@v7",
            with: {
              name: `part-${expression("matrix.shard")}`,
              path: `part-${expression("matrix.shard")}`,
              "retention-days": 1,
              overwrite: true,
            },
          },
        ],
      },
      merge: {
        name: "Merge",
        needs: "grade",
        "runs-on": "ubuntu-latest",
        "timeout-minutes": 15,
        steps: [
          ...SETUP,
          { uses: "actions/download-artifact@v8", with: { pattern: "part-*", path: "parts" } },
          {
            name: "Merge",
            run: `npm run -s grade merge parts/part-* ${[...mergeWords, "out=grades"].join(" ")}\n`,
          },
          { uses: "actions/upload-artifact@v7", with: { name: "grades", path: "grades", overwrite: true } },
        ],
      },
    },
  };
  const head =
    "# Made by `npm run grade cluster github`. Needs the secret VMEXIT_GRADE_SEED, and a private repository.\n";
  return new Map([
    ["grade-class.yml", head + stringify(workflow, { lineWidth: 0, aliasDuplicateObjects: false })],
  ]);
}
