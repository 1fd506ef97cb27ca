/**
 * An Indexed Job for Kubernetes: each pod grades the part of its JOB_COMPLETION_INDEX, and a second Job
 * merges (Kubernetes, "Indexed Job for Parallel Processing with Static Work Assignment"; Job v1 batch).
 *
 * A pod may start no namespaces, so bubblewrap does not hold in it: each submission gets another user, and
 * the pods have no network. An index is tried again when its pod dies or its grader fails.
 */
import { stringify } from "yaml";
import { PACKED } from "../gradescope-zip.ts";
import type { ClusterFiles, ClusterPlan } from "./cluster.ts";

const NAME = "vmexit-grade";
const NODE_IMAGE = "docker.io/library/node:22-slim";
/** Of each pod: two submissions at a time, each with a heap of 256 MiB at most. */
const JOBS = 2;

const LABELS = { "app.kubernetes.io/name": NAME };

export function kubernetesFiles(plan: ClusterPlan): ClusterFiles {
  return new Map([
    ["Dockerfile", dockerfile()],
    ["grade.yaml", documents(gradeJob(plan), noNetwork())],
    ["merge.yaml", documents(mergeJob(plan))],
  ]);
}

function documents(...manifests: readonly object[]): string {
  const head =
    "# Made by `npm run grade cluster kubernetes`; the book's page “A class on a cluster” says what it needs.\n";
  const texts = manifests.map(one => stringify(one, { lineWidth: 0, aliasDuplicateObjects: false }));
  return head + texts.join("---\n");
}

const GRADE = "node --import tsx chapters/tools/grade/grade.ts";

function gradeJob({ shards, words, image }: ClusterPlan): object {
  const part = `shard=$((JOB_COMPLETION_INDEX + 1))/${shards}`;
  const options = `seed="$SEED" isolation="$ISOLATION" jobs=${JOBS} out="$GRADES/part-$JOB_COMPLETION_INDEX"`;
  return job(NAME, image, `exec ${GRADE} ${words.join(" ")} "$CLASS" ${part} ${options}`, {
    completions: shards,
    parallelism: shards,
    completionMode: "Indexed",
    backoffLimitPerIndex: 2,
    maxFailedIndexes: shards,
  });
}

function mergeJob({ mergeWords, image }: ClusterPlan): object {
  const command = `exec ${GRADE} merge "$GRADES"/part-* ${[...mergeWords, 'out="$GRADES/all"'].join(" ")}`;
  return job(`${NAME}-merge`, image, command, { backoffLimit: 2 });
}

function job(name: string, image: string, command: string, spec: object): object {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name, labels: LABELS },
    spec: {
      ...spec,
      template: {
        metadata: { labels: LABELS },
        spec: {
          restartPolicy: "Never",
          automountServiceAccountToken: false,
          enableServiceLinks: false,
          containers: [
            {
              name: "grader",
              image,
              command: ["/bin/sh", "-c", command],
              env: [
                { name: "CLASS", value: "/class" },
                { name: "GRADES", value: "/grades" },
                { name: "ISOLATION", value: "uid" },
                { name: "HOME", value: "/tmp" },
                { name: "SEED", valueFrom: { secretKeyRef: { name: NAME, key: "seed" } } },
              ],
              resources: { requests: { cpu: "1", memory: "1Gi" }, limits: { cpu: "2", memory: "3Gi" } },
              securityContext: {
                runAsUser: 0,
                allowPrivilegeEscalation: false,
                readOnlyRootFilesystem: true,
                // To become another user, and to end what that user runs.
                capabilities: { drop: ["ALL"], add: ["SETUID", "SETGID", "KILL"] },
                seccompProfile: { type: "RuntimeDefault" },
              },
              volumeMounts: [
                { name: "class", mountPath: "/class", readOnly: true },
                { name: "grades", mountPath: "/grades" },
                { name: "tmp", mountPath: "/tmp" },
              ],
            },
          ],
          volumes: [
            { name: "class", persistentVolumeClaim: { claimName: "vmexit-class", readOnly: true } },
            { name: "grades", persistentVolumeClaim: { claimName: "vmexit-grades" } },
            { name: "tmp", emptyDir: {} },
          ],
        },
      },
    },
  };
}

/** Nothing goes in or out, whatever a submission breaks out of. */
function noNetwork(): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: NAME, labels: LABELS },
    spec: { podSelector: { matchLabels: LABELS }, policyTypes: ["Ingress", "Egress"] },
  };
}

function dockerfile(): string {
  const copied = PACKED.filter(path => !path.startsWith("package")).map(path =>
    path.includes(".") ? `COPY ${path} ${path}` : `COPY ${path}/ ${path}/`,
  );
  return `# The grader's image, built at the project's root: docker build -f cluster/Dockerfile -t vmexit-grader .
FROM ${NODE_IMAGE}
WORKDIR /vmexit
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
${copied.join("\n")}
`;
}
