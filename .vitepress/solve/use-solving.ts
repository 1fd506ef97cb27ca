/** A learner's work on a chapter, as the components see it: their files, which tasks have passed, what the tests said. */
import { onBeforeUnmount, onMounted, ref, shallowRef } from "vue";
import type { Outcome } from "./bench.ts";
import type { BenchMessage } from "./bench-protocol.ts";
import { browserStorage, type KeptWork, keepWork, NOTHING, readWork } from "./kept-work.ts";
import type { LayerFiles } from "./learner-modules.ts";
import { showProgress } from "./progress.ts";
import type { RemoteBench } from "./remote-bench.ts";

/** Why nothing could be tested. */
export type Obstacle = Extract<BenchMessage, { kind: "broken" | "failure" }>;

export function useSolving(chapter: string) {
  const work = shallowRef<KeptWork>(NOTHING);
  /** False once the browser has refused to keep something. */
  const isKept = ref(true);
  /** What each task's tests said when they last ran. */
  const outcomes = shallowRef<Readonly<Record<string, readonly Outcome[]>>>({});
  /** The tasks whose tests run now. */
  const running = shallowRef<readonly string[]>([]);
  const obstacle = shallowRef<Obstacle>();
  let bench: Promise<RemoteBench> | undefined;

  onMounted(() => (work.value = readWork(browserStorage(), chapter)));
  onBeforeUnmount(() => void bench?.then(one => one.close()));

  /** Changes what is kept; another tab of the same chapter may have changed the rest of it. */
  function change(make: (work: KeptWork) => KeptWork): void {
    const storage = browserStorage();
    work.value = make(isKept.value && storage ? readWork(storage, chapter) : work.value);
    isKept.value = keepWork(storage, chapter, work.value);
  }

  /** Keeps a file; one that is like its starter needs no keeping. */
  function setFile(file: string, text: string, starter: string): void {
    change(({ files: { [file]: _, ...others }, ...rest }) => ({
      ...rest,
      files: text === starter ? others : { ...others, [file]: text },
    }));
  }

  function setPassed(task: string, hasPassed: boolean): void {
    if (work.value.passed.includes(task) === hasPassed) return;
    change(({ passed, ...rest }) => {
      const others = passed.filter(id => id !== task);
      return { ...rest, passed: hasPassed ? [...others, task] : others };
    });
    showProgress(chapter, work.value.passed.length);
  }

  /** Notes that a task's hints were read as far as number `count`. */
  function noteHint(task: string, count: number): void {
    if ((work.value.hints[task] ?? 0) >= count) return;
    change(({ hints, ...rest }) => ({ ...rest, hints: { ...hints, [task]: count } }));
  }

  /** Runs the tests of some tasks, in this order; what runs already is given up. */
  async function test(files: LayerFiles, tasks: readonly string[]): Promise<void> {
    running.value = tasks;
    obstacle.value = undefined;
    outcomes.value = { ...outcomes.value, ...Object.fromEntries(tasks.map(id => [id, []])) };
    bench ??= import("./remote-bench.ts").then(({ RemoteBench }) => new RemoteBench(hear));
    try {
      (await bench).run({ chapter, files, tasks });
    } catch (error) {
      bench = undefined;
      hear({ run: 0, kind: "failure", message: error instanceof Error ? error.message : String(error) });
    }
  }

  function hear(message: BenchMessage): void {
    if (message.kind === "outcome") {
      const { task } = message.outcome;
      outcomes.value = {
        ...outcomes.value,
        [task]: [...(outcomes.value[task] ?? []), message.outcome],
      };
      return;
    }
    if (message.kind !== "done") obstacle.value = message;
    for (const task of running.value) {
      const told = outcomes.value[task] ?? [];
      // What was not tested, as nothing could be, stays as it was.
      if (told.length > 0)
        setPassed(
          task,
          told.every(({ verdict }) => verdict === "passed"),
        );
    }
    running.value = [];
  }

  return { chapter, work, isKept, outcomes, running, obstacle, setFile, noteHint, test };
}

export type Solving = ReturnType<typeof useSolving>;
