/**
 * Makes graded tests vitest's own: a setup file of vitest.config.ts.
 *
 * The reference's layers are imported directly. A learner's run in a worker, as vitest could not stop a
 * loop that never ends; under a debugger they are imported directly, too, so that breakpoints work.
 */
import { readFileSync } from "node:fs";
import { url as debuggerUrl } from "node:inspector";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Chapter } from "./chapter-manifest.ts";
import { chapterNames, layerFiles, ROOT } from "./chapters.ts";
import { failureOf } from "./graded-test.ts";
import { DirectBackend, type SubjectBackend, type SubjectFunctions } from "./subject.ts";
import { useRegistrar } from "./suite.ts";

const learners = (process.env["VMEXIT_LEARNER"] ?? "").split(",").filter(Boolean);

useRegistrar({
  expect,
  describe: (task, body) => void describe(task.id, body),
  it(test) {
    it(test.name, async () => {
      backend ??=
        learners.length > 0 && !debuggerUrl() ? learnersBackend(test.chapter) : directBackend(test.chapter);
      reference ??= test.kind === "seeded" ? referenceBackend(test.chapter) : undefined;
      const failure = await failureOf(test, await backend, { reference: await reference });
      if (failure) throw taught(failure);
    });
  },
});

/** One for a test file, as its tests are of one chapter. */
let backend: Promise<SubjectBackend> | undefined;
let reference: Promise<SubjectBackend> | undefined;
afterAll(async () => {
  for (const one of [backend, reference]) await (await one?.catch(() => undefined))?.close();
});

async function directBackend({ name }: Chapter): Promise<SubjectBackend> {
  const path = `../${name}/subject.ts`;
  const { subject } = (await import(/* @vite-ignore */ path)) as { subject: SubjectFunctions };
  return new DirectBackend(subject);
}

async function learnersBackend({ name }: Chapter): Promise<SubjectBackend> {
  const own = chapterNames().filter(chapter => learners.includes(chapter.slice(0, 2)));
  const files = own.flatMap(chapter => layerFiles(chapter).map(file => `${chapter}/${file}`));
  const layers = new Map(files.map(file => [file, readFileSync(join(ROOT, "chapters", file), "utf8")]));
  const { workerBackend } = await import("./worker-backend.ts");
  return await workerBackend(name, layers, { milliseconds: 4000, heapMegabytes: 256 });
}

/** The reference's subject; in a learner's run, where `#layers` means the learner's, bundled apart. */
async function referenceBackend(chapter: Chapter): Promise<SubjectBackend> {
  if (learners.length === 0) return await directBackend(chapter);
  const { workerBackend } = await import("./worker-backend.ts");
  return await workerBackend(chapter.name, new Map());
}

/** The same error, for its place in the learner's file, with the explanation and without vitest's diff. */
function taught({ error, message }: { error: unknown; message: string }): Error {
  const told = error instanceof Error ? error : new Error(message);
  told.message = message;
  for (const field of ["actual", "expected", "showDiff", "operator"]) Reflect.deleteProperty(told, field);
  return told;
}
