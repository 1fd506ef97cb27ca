/** JavaScript by module name: "subject.js", "layers/01-minimal-vm/bus.js", "shared-XXXX.js". */
export type ModuleTexts = Readonly<Record<string, string>>;

/** The module that serves the chapter's subject. */
export const SUBJECT = "subject.js";
