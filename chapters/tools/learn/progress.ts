/** What `npm run learn` remembers: one small file beside package.json, which git does not see. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../chapters.ts";

export const STATE_FILE = ".learn.json";

/** Steps are named as in `Step.key`. */
export class Progress {
  /** What was wrong with the file, in a sentence; empty where nothing was. */
  readonly complaint: string;
  readonly #done: Set<string>;
  readonly #hints: Map<string, number>;

  constructor(private readonly path = join(ROOT, STATE_FILE)) {
    const { state, complaint } = read(path);
    this.complaint = complaint;
    this.#done = new Set(state.done);
    this.#hints = new Map(Object.entries(state.hints));
  }

  isDone(key: string): boolean {
    return this.#done.has(key);
  }

  /** How many hints of a step the learner took, 0 to 3. */
  hints(key: string): number {
    return this.#hints.get(key) ?? 0;
  }

  setDone(key: string, isDone: boolean): void {
    if (this.#done.has(key) === isDone) return;
    if (isDone) this.#done.add(key);
    else this.#done.delete(key);
    this.#write();
  }

  takeHint(key: string): void {
    this.#hints.set(key, this.hints(key) + 1);
    this.#write();
  }

  #write(): void {
    const state: State = { version: 1, done: [...this.#done].sort(), hints: Object.fromEntries(this.#hints) };
    writeFileSync(`${this.path}.part`, `${JSON.stringify(state, null, 2)}\n`);
    renameSync(`${this.path}.part`, this.path);
  }
}

interface State {
  readonly version: 1;
  readonly done: readonly string[];
  readonly hints: Readonly<Record<string, number>>;
}

const EMPTY: State = { version: 1, done: [], hints: {} };

function read(path: string): { state: State; complaint: string } {
  if (!existsSync(path)) return { state: EMPTY, complaint: "" };
  try {
    const document: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (isState(document)) return { state: document, complaint: "" };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  renameSync(path, `${path}.broken`);
  const complaint = `${STATE_FILE} could not be read and is kept as ${STATE_FILE}.broken; the tests find again what is done`;
  return { state: EMPTY, complaint };
}

function isState(document: unknown): document is State {
  if (typeof document !== "object" || document === null) return false;
  const { version, done, hints } = document as Partial<Record<keyof State, unknown>>;
  return (
    version === 1 &&
    Array.isArray(done) &&
    done.every(key => typeof key === "string") &&
    typeof hints === "object" &&
    hints !== null &&
    Object.values(hints).every(count => Number.isInteger(count))
  );
}
