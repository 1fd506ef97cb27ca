import { afterEach, expect, it } from "vitest";
import type { subject as chapterSubject } from "../01-minimal-vm/subject.ts";
import type { LayerTexts } from "./layer-bundle.ts";
import { typedSubject } from "./subject.ts";
import { type WorkerBackend, workerBackend } from "./worker-backend.ts";

let backend: WorkerBackend | undefined;
afterEach(async () => backend?.close());

async function subjectOver(bus: string) {
  const layers: LayerTexts = new Map([["01-minimal-vm/bus.ts", bus]]);
  backend = await workerBackend("01-minimal-vm", layers, { milliseconds: 1000, heapMegabytes: 64 });
  return typedSubject<typeof chapterSubject>(backend);
}

const READ = [{ do: "read", at: 1, size: 1 }] as const;
const bus = (body: string) => `export class Bus { register() {} write() {} read() { ${body} } }`;

it("answers with plain data", async () => {
  const subject = await subjectOver(bus("return 7;"));
  expect(await subject.call("bus", READ)).toEqual({ results: [{ value: 7 }], seen: [] });
});

it("takes back the processor from a loop that never ends, and goes on with the next call", async () => {
  const subject = await subjectOver(bus("for (;;);"));
  await expect(subject.call("bus", READ)).rejects.toThrow(
    "“bus” did not come back within 1 s: does a loop never end?",
  );
  expect(await subject.call("bus", [])).toEqual({ results: [], seen: [] });
});

it("survives a heap that grows without end", async () => {
  const subject = await subjectOver(bus("const all = []; for (;;) all.push(new Array(10_000).fill(1));"));
  await expect(subject.call("bus", READ)).rejects.toThrow(/“bus” (took its worker down|did not come back)/);
});

it("says so when the learner's code ends the worker", async () => {
  const subject = await subjectOver(bus("process.exit(0);"));
  await expect(subject.call("bus", READ)).rejects.toThrow("“bus” ended its worker");
});

it("passes on what the learner's code throws", async () => {
  const subject = await subjectOver(bus("throw new Error('exercise dispatch: not yet · chapter 1, “x”');"));
  await expect(subject.call("bus", READ)).rejects.toThrow(/^exercise dispatch: not yet/);
});

it("a function that the subject lacks is a defect of the chapter", async () => {
  await subjectOver(bus("return 7;"));
  await expect(backend!.call("nonesuch", [])).rejects.toThrow("the subject has no function “nonesuch”");
  await expect(backend!.call("toString", [])).rejects.toThrow("the subject has no function “toString”");
});
