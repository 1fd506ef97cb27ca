/** The page's bench in Node: the same modules, linked the same way, in a thread that plays the browser's worker. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Chapter } from "../../chapters/tools/chapter-manifest.ts";
import { layerFiles, ROOT, readChapters } from "../../chapters/tools/chapters.ts";
import { gradedTests } from "../../chapters/tools/graded-files.ts";
import { holeMessage } from "../../chapters/tools/starter.ts";
import { generatedStarter } from "../../chapters/tools/starter-files.ts";
import type { GradedTest } from "../../chapters/tools/suite.ts";
import { type Outcome, runBench } from "./bench.ts";
import { layerModules, subjectModules } from "./chapter-modules.ts";
import { type LayerFiles, linkLayers } from "./learner-modules.ts";
import { type ModuleTexts, SUBJECT } from "./module-texts.ts";
import { LoadError, PageBackend, type SubjectWorker } from "./page-backend.ts";

const starter = (chapter: Chapter): LayerFiles =>
  Object.fromEntries(layerFiles(chapter.name).map(file => [file, generatedStarter(chapter, file)]));
const reference = ({ name }: Chapter): LayerFiles =>
  Object.fromEntries(
    layerFiles(name).map(file => [file, readFileSync(join(ROOT, "solutions", name, file), "utf8")]),
  );

/** A thread with what a worker of a browser has. */
class PlayedWorker implements SubjectWorker {
  onmessage: SubjectWorker["onmessage"] = null;
  onerror: SubjectWorker["onerror"] = null;
  readonly #thread: Worker;

  constructor(entry: string) {
    this.#thread = new Worker(
      `const { parentPort } = require("node:worker_threads");
      globalThis.self = globalThis;
      globalThis.postMessage = message => parentPort.postMessage(message);
      parentPort.on("message", data => globalThis.onmessage({ data }));
      import(${JSON.stringify(entry)}).catch(({ name, message, stack }) => postMessage({ name, message, stack }));`,
      { eval: true },
    );
    this.#thread.on("message", data => this.onmessage?.({ data } as MessageEvent));
    this.#thread.on("error", error =>
      this.onerror?.({ message: error.message, preventDefault() {} } as ErrorEvent),
    );
  }

  postMessage(message: unknown): void {
    this.#thread.postMessage(message);
  }

  terminate(): void {
    void this.#thread.terminate();
  }
}

let folder: string;
beforeAll(() => {
  const cache = join(ROOT, "node_modules/.cache/vmexit");
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, "bench-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function run(
  { name }: Chapter,
  modules: ModuleTexts,
  layer: LayerFiles,
  tests: readonly GradedTest[],
  patience = 20_000,
): Promise<Outcome[]> {
  let placed = 0;
  const here = mkdtempSync(join(folder, "run-"));
  const entry = await linkLayers(SUBJECT, modules, { [name]: layer }, code => {
    const path = join(here, `${placed++}.mjs`);
    writeFileSync(path, code);
    return pathToFileURL(path).href;
  });
  const outcomes: Outcome[] = [];
  const backend = new PageBackend(() => new PlayedWorker(entry), patience);
  try {
    await runBench(tests, backend, outcome => outcomes.push(outcome));
  } finally {
    await backend.close();
  }
  return outcomes;
}

async function modulesOf({ name }: Chapter): Promise<ModuleTexts> {
  const [subject, layers] = await Promise.all([subjectModules(name), layerModules()]);
  return { ...subject, ...layers };
}

async function publicTests(chapter: Chapter): Promise<GradedTest[]> {
  return (await gradedTests(chapter)).filter(({ kind }) => kind === "public");
}

describe.each(readChapters())("the bench of $name", chapter => {
  let tests: GradedTest[];
  let modules: ModuleTexts;
  beforeAll(async () => {
    [tests, modules] = await Promise.all([publicTests(chapter), modulesOf(chapter)]);
  });

  it("passes the reference", async () => {
    const outcomes = await run(chapter, modules, reference(chapter), tests);
    expect(outcomes).toHaveLength(tests.length);
    expect(outcomes.filter(({ verdict }) => verdict !== "passed")).toEqual([]);
  });

  it("fails each test of the starter with the words of a hole", async () => {
    const holes = chapter.tasks.flatMap(task =>
      task.regions.map(region => holeMessage(chapter, task, region)),
    );
    for (const { verdict, message } of await run(chapter, modules, starter(chapter), tests)) {
      expect(verdict).toBe("hole");
      expect(holes).toContain(message);
    }
  });
});

describe("the bench", () => {
  const chapter = readChapters()[0]!;
  const REFERENCE = reference(chapter);
  let tests: GradedTest[];
  let modules: ModuleTexts;
  beforeAll(async () => {
    [tests, modules] = await Promise.all([publicTests(chapter), modulesOf(chapter)]);
  });

  const withBus = (find: string, replace: string): LayerFiles => {
    const text = REFERENCE["bus.ts"]!;
    if (!text.includes(find)) throw new Error(`bus.ts has no “${find}”`);
    return { ...REFERENCE, "bus.ts": text.replace(find, () => replace) };
  };

  it("tells in which line of which file something was thrown", async () => {
    const [head, body] = REFERENCE["vmm.ts"]!.split("): Exit {\n");
    const layer = { ...REFERENCE, "vmm.ts": `${head}): Exit {\nthrow new TypeError("mine");\n${body}` };
    const [outcome] = await run(
      chapter,
      modules,
      layer,
      of("vmm.ts").filter(({ task }) => task.id === "run-loop"),
    );
    expect(outcome).toMatchObject({
      verdict: "failed",
      message: expect.stringContaining("your code threw TypeError: mine"),
      place: { file: "vmm.ts", line: head!.split("\n").length + 1 },
    });
  });

  const find = "read(address: number, size: 1 | 2 | 4): number {";
  const lineOf = (text: string, part: string) => text.slice(0, text.indexOf(part)).split("\n").length;

  it("a loop that never ends costs a message with its line, and the rest of the run", async () => {
    const outcomes = await run(chapter, modules, withBus(find, `${find} for (;;);`), of("bus.ts"));
    expect(outcomes.at(-1)).toMatchObject({
      verdict: "limit",
      message: expect.stringMatching(/“bus” does not come to an end: this loop has gone round [\d,]+ times/),
      place: { file: "bus.ts", line: lineOf(REFERENCE["bus.ts"]!, find) },
    });
    expect(outcomes.filter(({ verdict }) => verdict === "limit")).toHaveLength(1);
  });

  // Each is refused before its loop has looked at the clock once: no host is too slow.
  it.each([
    "new Uint8Array(64 << 20).fill(1)",
    "new Array(8 << 20).fill(1)",
    "Float64Array.from({ length: 2 ** 27 })",
  ])("memory without end costs a message with its line, though it is caught: %s", async ask => {
    const put = `const kept: unknown[] = []; try { while (kept) kept.push(${ask}); } catch { kept.length = 0; }`;
    const outcomes = await run(chapter, modules, withBus(find, `${find} ${put}`), of("bus.ts"));
    expect(outcomes.at(-1)).toMatchObject({
      verdict: "limit",
      message: expect.stringContaining(
        "“bus” takes too much memory: your code asked for more than 512 MiB of memory",
      ),
      place: { file: "bus.ts", line: lineOf(REFERENCE["bus.ts"]!, find) },
    });
  });

  it("what goes on for ever without a loop costs a message, too", async () => {
    const layer = withBus(find, `${find} Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`);
    const outcomes = await run(chapter, modules, layer, of("bus.ts"), 1000);
    expect(outcomes.at(-1)).toMatchObject({
      verdict: "limit",
      message: expect.stringContaining("“bus” did not come to an end within 1 s: does a loop never end?"),
    });
  });

  it("a file that throws as it is loaded stops the run with its words", async () => {
    const broken = run(
      chapter,
      modules,
      withBus("export class Bus {", "missing();\nexport class Bus {"),
      of("bus.ts"),
    );
    await expect(broken).rejects.toThrow(LoadError);
    await expect(broken).rejects.toThrow(
      "Your files could not be loaded. ReferenceError: missing is not defined",
    );
  });

  it("an export that is gone is named", async () => {
    const broken = run(chapter, modules, withBus("export class Bus {", "class Bus {"), of("bus.ts"));
    await expect(broken).rejects.toThrow(/Your files could not be loaded\. SyntaxError: .*'Bus'/);
  });

  function of(file: string): GradedTest[] {
    return tests.filter(({ task }) => task.file === file);
  }
});
