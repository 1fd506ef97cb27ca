/**
 * JavaScript by module name: "subject.js", "shared-XXXX.js", and of the layers "01-minimal-vm/bus.ts", which is
 * JavaScript, too.
 */
export type ModuleTexts = Readonly<Record<string, string>>;

/** The module that serves the chapter's subject. */
export const SUBJECT = "subject.js";
/** The module that is the worker of a machine. */
export const MACHINE = "machine.js";
/** The module that a learner's loops call. */
export const LOOPS = "loops.js";
/** The module from which a learner's files have constructors that count what they take. */
export const MEMORY = "memory.js";

export function layerModule(chapter: string, file: string): string {
  return `${chapter}/${file}`;
}
