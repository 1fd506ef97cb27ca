/** The third place for a subject: another process, for the code of strangers. */
import { SourceMap } from "node:module";
import { basename } from "node:path";
import { type SubjectBackend, UnknownSubjectFunctionError } from "../subject.ts";
import { type Cell, printable, type Thrown } from "./cell.ts";

/** One chapter's subject in a submission's process. */
export class ChildBackend implements SubjectBackend {
  readonly #maps = new Map<string, SourceMap>();

  constructor(
    private readonly cell: Cell,
    private readonly chapter: string,
    /** Source maps by the module's path in the box, as text. */
    private readonly maps: ReadonlyMap<string, string>,
  ) {}

  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    const reply = await this.cell.call(this.chapter, name, args);
    if ("value" in reply) return reply.value;
    if ("lacks" in reply)
      throw new UnknownSubjectFunctionError(`the subject has no function “${reply.lacks}”`);
    throw this.#errorOf(reply.error);
  }

  /** The process serves other chapters, too; its cell ends it. */
  async close(): Promise<void> {}

  #errorOf(thrown: Thrown): Error {
    const place = thrown.message.startsWith("exercise ") ? undefined : this.#placeOf(thrown.stack);
    const message = place ? `${thrown.message} (${place})` : thrown.message;
    return Object.assign(new Error(printable(message)), { name: thrown.name, stack: "" });
  }

  /** The innermost place of a stack that is in the submission's own file, as "05-pit/pit.ts:41". */
  #placeOf(stack: string): string | undefined {
    for (const line of stack.split("\n")) {
      const [, module = "", row, column] =
        /\/(\d\d-[a-z0-9-]+\/mine\/[a-z0-9-]+\.mjs):(\d+):(\d+)/.exec(line) ?? [];
      const map = row ? this.#mapOf(module) : undefined;
      const entry = map?.findEntry(Number(row) - 1, Number(column) - 1);
      if (entry && "originalLine" in entry) {
        return `${this.chapter}/${basename(module, ".mjs")}.ts:${entry.originalLine + 1}`;
      }
    }
    return undefined;
  }

  #mapOf(module: string): SourceMap | undefined {
    const text = this.maps.get(module);
    if (text === undefined) return undefined;
    const map = this.#maps.get(module) ?? new SourceMap(JSON.parse(text));
    this.#maps.set(module, map);
    return map;
  }
}
