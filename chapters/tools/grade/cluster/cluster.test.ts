/** What is generated for clusters has the shape that they ask for, and its commands grade a class. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { ROOT, readChapters } from "../../chapters.ts";
import { probe } from "../isolation.ts";
import { parseWords } from "../options.ts";
import { writeSamples } from "../sample.ts";
import { planOf } from "./cluster.ts";
import { githubFiles } from "./github.ts";
import { kubernetesFiles } from "./kubernetes.ts";
import { loadWorkflowParser } from "./workflow-parser.ts";

const chapters = readChapters();
const plan = (...words: string[]) => planOf(parseWords(["6", "cluster", ...words], chapters, "practice"));

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Record<string, unknown>;
}
const workflowText = (shards: number) =>
  githubFiles(plan("github", `shards=${shards}`)).get("grade-class.yml")!;
const stepNamed = (text: string, job: string, name: string): string => {
  const { jobs } = parse(text) as { jobs: Record<string, { steps: Step[] }> };
  return jobs[job]!.steps.find(step => step.name === name)!.run!;
};
const manifests = (file: string, shards: number) =>
  parseAllDocuments(
    kubernetesFiles(plan("kubernetes", `shards=${shards}`, "image=registry.example/grader:3")).get(file)!,
  ).map(document => document.toJS());

describe("the workflow for GitHub Actions", () => {
  const parser = loadWorkflowParser();
  const parsed = async (text: string) => {
    const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await parser;
    const { context, value } = parseWorkflow(
      { name: "grade-class.yml", content: text },
      new NoOperationTraceWriter(),
    );
    const template = value && (await convertWorkflowTemplate(context, value));
    return { errors: context.errors.getErrors().map(error => error.message), template };
  };

  it("is one by GitHub's own parser, which would find a wrong key", async () => {
    const { errors, template } = await parsed(workflowText(5));
    expect(errors).toEqual([]);
    expect(template?.jobs.map(({ id }) => id.value)).toEqual(["grade", "merge"]);
    expect((await parsed(workflowText(5).replace("fail-fast", "fail-last"))).errors.join()).toContain(
      "fail-last",
    );
    expect(
      (await parsed(workflowText(5).replace("inputs.submissions", "inputs.submission("))).errors,
    ).not.toEqual([]);
  });

  it("has a job for each shard, may read and no more, and lets no input into a shell's text", () => {
    const { jobs, permissions } = parse(workflowText(5)) as {
      jobs: Record<string, { strategy?: { matrix: { shard: number[] } }; needs?: string; steps: Step[] }>;
      permissions: object;
    };
    expect(jobs["grade"]!.strategy!.matrix.shard).toEqual([1, 2, 3, 4, 5]);
    expect(jobs["merge"]!.needs).toBe("grade");
    expect(permissions).toEqual({ contents: "read" });
    for (const { steps } of Object.values(jobs)) {
      for (const { run } of steps) expect(run ?? "").not.toContain("${{");
    }
  });
});

describe("the manifests for Kubernetes", () => {
  const text = { type: "string" } as const;
  const exact = (properties: Record<string, object>, optional: readonly string[] = []) => ({
    type: "object",
    properties,
    required: Object.keys(properties).filter(name => !optional.includes(name)),
    additionalProperties: false,
  });
  const metadata = exact({ name: text, labels: { type: "object" } });
  // Of the API reference, "Job v1 batch" and "PodSpec v1 core": the fields that are used, with their types.
  const container = exact({
    ...{ name: text, image: text },
    command: { type: "array", items: text },
    env: {
      type: "array",
      items: exact(
        { name: text, value: text, valueFrom: exact({ secretKeyRef: exact({ name: text, key: text }) }) },
        ["value", "valueFrom"],
      ),
    },
    resources: exact({
      requests: exact({ cpu: text, memory: text }),
      limits: exact({ cpu: text, memory: text }),
    }),
    securityContext: exact({
      ...{ runAsUser: { type: "integer" }, allowPrivilegeEscalation: { type: "boolean" } },
      readOnlyRootFilesystem: { type: "boolean" },
      capabilities: exact({ drop: { const: ["ALL"] }, add: { type: "array", items: text } }),
      seccompProfile: exact({ type: { const: "RuntimeDefault" } }),
    }),
    volumeMounts: {
      type: "array",
      items: exact({ name: text, mountPath: text, readOnly: { type: "boolean" } }, ["readOnly"]),
    },
  });
  const pod = exact({
    metadata: exact({ labels: { type: "object" } }),
    spec: exact({
      restartPolicy: { const: "Never" },
      ...{ automountServiceAccountToken: { const: false }, enableServiceLinks: { const: false } },
      containers: { type: "array", minItems: 1, maxItems: 1, items: container },
      volumes: {
        type: "array",
        items: exact(
          {
            name: text,
            persistentVolumeClaim: exact({ claimName: text, readOnly: { type: "boolean" } }, ["readOnly"]),
            emptyDir: exact({}),
          },
          ["persistentVolumeClaim", "emptyDir"],
        ),
      },
    }),
  });
  const jobOf = (spec: Record<string, object>) =>
    exact({
      apiVersion: { const: "batch/v1" },
      kind: { const: "Job" },
      metadata,
      spec: exact({ ...spec, template: pod }),
    });
  const count = { type: "integer", minimum: 0 };

  it("are an Indexed Job whose pods have no network, and a Job that merges", () => {
    const [grade, policy, ...more] = manifests("grade.yaml", 5);
    const ajv = new Ajv();
    const isIndexed = ajv.compile(
      jobOf({
        completions: { const: 5 },
        parallelism: { const: 5 },
        completionMode: { const: "Indexed" },
        backoffLimitPerIndex: count,
        maxFailedIndexes: count,
      }),
    );
    expect(isIndexed(grade), ajv.errorsText(isIndexed.errors)).toBe(true);
    const [merge] = manifests("merge.yaml", 5);
    const isJob = ajv.compile(jobOf({ backoffLimit: count }));
    expect(isJob(merge), ajv.errorsText(isJob.errors)).toBe(true);
    expect(more).toEqual([]);
    expect(policy).toMatchObject({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      spec: {
        podSelector: { matchLabels: grade.spec.template.metadata.labels },
        policyTypes: ["Ingress", "Egress"],
      },
    });
    expect(policy.spec.egress ?? policy.spec.ingress).toBeUndefined();
    for (const { spec } of [grade, merge]) {
      const { volumes, containers } = spec.template.spec;
      const names = volumes.map(({ name }: { name: string }) => name);
      for (const { name } of containers[0].volumeMounts) expect(names).toContain(name);
      expect(containers[0].image).toBe("registry.example/grader:3");
    }
  });

  it("have an image of what grading needs", () => {
    const dockerfile = kubernetesFiles(plan("kubernetes")).get("Dockerfile")!;
    for (const [, path] of dockerfile.matchAll(/^COPY (\S+) /gm))
      expect(readdirSync(join(ROOT, path!, "..")), path).toContain(path!.split("/").filter(Boolean).at(-1));
  });
});

it.each([
  [["cluster"], /github, or kubernetes/],
  [["cluster", "github", "shards=257"], /at most 256/],
  [["cluster", "github", "due=a b/due.json"], /only letters/],
])("wrong words get one sentence: %j", async (words, message) => {
  const { writeCluster } = await import("./cluster.ts");
  expect(() => writeCluster({ ...parseWords(["6", ...words], chapters, "practice") })).toThrow(message);
});

describe("a class in shards, each a process of its own, by the commands of the files", () => {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-cluster-"));
  const isolation = ["bubblewrap", "uid"].find(level => probe(level as "uid") === "") ?? "node";
  const env = {
    ...process.env,
    SEED: "term",
    ISOLATION: isolation,
    GRADES: folder,
    CLASS: join(folder, "class"),
  };
  const run = (command: string, more: Record<string, string> = {}) =>
    new Promise<void>((done, failed) => {
      const child = spawn("/bin/sh", ["-c", command], {
        cwd: ROOT,
        env: { ...env, ...more },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", chunk => (said += chunk));
      child.on("close", code =>
        code === 0 ? done() : failed(new Error(`${command} ended with ${code}: ${said}`)),
      );
    });
  /** All that was written but the cache, by path, without times. */
  const written = (out: string) =>
    Object.fromEntries(
      readdirSync(out, { recursive: true, withFileTypes: true })
        .filter(entry => entry.isFile() && !entry.parentPath.endsWith("cache"))
        .map(entry => {
          const path = join(entry.parentPath, entry.name);
          return [
            path.slice(out.length),
            readFileSync(path, "utf8").replace(/"time": \{[^}]*\}/, '"time": {}'),
          ] as const;
        })
        .sort(),
    );
  let whole: Record<string, string>;

  beforeAll(async () => {
    await writeSamples(
      env.CLASS,
      chapters.filter(({ number }) => number === 6),
      10,
    );
    await run(`npm run -s grade 6 "$CLASS" seed="$SEED" isolation="$ISOLATION" out="$GRADES/whole"`);
    whole = written(join(folder, "whole"));
    expect(Object.keys(whole).length).toBe(10 + 10 + 3);
  }, 600_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("comes to the same as in one, byte for byte but for times, on GitHub Actions", async () => {
    const text = workflowText(3)
      .replaceAll('out="part-', 'out="$GRADES/parts/part-')
      .replace("parts/part-*", '"$GRADES"/parts/part-*')
      .replace("out=grades", 'out="$GRADES/merged"');
    const grade = stepNamed(text, "grade", "Grade");
    await Promise.all([1, 2, 3].map(shard => run(grade, { SUBMISSIONS: env.CLASS, SHARD: String(shard) })));
    await run(stepNamed(text, "merge", "Merge"));
    expect(written(join(folder, "merged"))).toEqual(whole);
  }, 600_000);

  it("comes to the same on Kubernetes", async () => {
    const command = (file: string) =>
      manifests(file, 2)[0].spec.template.spec.containers[0].command.at(-1) as string;
    await Promise.all(
      [0, 1].map(index => run(command("grade.yaml"), { JOB_COMPLETION_INDEX: String(index) })),
    );
    await run(command("merge.yaml"));
    expect(written(join(folder, "all"))).toEqual(whole);
  }, 600_000);
});
