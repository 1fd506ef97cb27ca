/** A learner's work on a chapter as the browser keeps it, under one key of its storage. */
import type { LayerFiles } from "./learner-modules.ts";

export interface KeptWork {
  /** The files that differ from the starter. */
  readonly files: LayerFiles;
  /** Ids of the tasks whose tests have all passed when they last ran. */
  readonly passed: readonly string[];
  /** How many hints of a task were opened. */
  readonly hints: Readonly<Record<string, number>>;
}

export const NOTHING: KeptWork = { files: {}, passed: [], hints: {} };

/** The part of a browser's storage that is needed. */
export type WorkStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

const PREFIX = "vmexit/solve/";
const key = (chapter: string) => `${PREFIX}${chapter}`;

/** The chapters that a storage has work on. */
export function chaptersOfWork(storage: Pick<Storage, "length" | "key"> | undefined): string[] {
  const keys = Array.from({ length: storage?.length ?? 0 }, (_, at) => storage!.key(at) ?? "");
  return keys.filter(name => name.startsWith(PREFIX)).map(name => name.slice(PREFIX.length));
}

/** What is kept of a chapter; nothing where the storage is closed, or what it has is not ours. */
export function readWork(storage: WorkStorage | undefined, chapter: string): KeptWork {
  try {
    const found: unknown = JSON.parse(storage?.getItem(key(chapter)) ?? "null");
    if (typeof found !== "object" || found === null) return NOTHING;
    const { files, passed, hints } = found as Record<string, unknown>;
    return {
      files: entriesOf(files, "string"),
      passed: Array.isArray(passed) ? passed.filter(id => typeof id === "string") : [],
      hints: entriesOf(hints, "number"),
    };
  } catch {
    return NOTHING;
  }
}

/** Keeps it; returns false where the browser does not let us. */
export function keepWork(storage: WorkStorage | undefined, chapter: string, work: KeptWork): boolean {
  try {
    if (!storage) return false;
    const isNothing = work.passed.length + Object.keys({ ...work.files, ...work.hints }).length === 0;
    if (isNothing) storage.removeItem(key(chapter));
    else storage.setItem(key(chapter), JSON.stringify(work));
    return true;
  } catch {
    return false;
  }
}

function entriesOf(value: unknown, type: "string"): Record<string, string>;
function entriesOf(value: unknown, type: "number"): Record<string, number>;
function entriesOf(value: unknown, type: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null) return {};
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => typeof entry === type));
}

/** The browser's storage; undefined where it is forbidden. */
export function browserStorage(): Storage | undefined {
  try {
    return globalThis.localStorage;
  } catch {
    return undefined;
  }
}
