/**
 * The subject: the one door through which graded tests reach a learner's code.
 *
 * A chapter's `subject.ts` exports `subject`, an object of functions that take and return plain data
 * (what `structuredClone` copies): batches of operations in, traces out. A test never holds an object of
 * the learner's. So the same test runs against a direct import, a worker or another process, and what it
 * expects stays on the trusted side.
 */

/** What a chapter's subject.ts exports. */
export type SubjectFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** The subject as a test sees it. */
export interface Subject<Functions extends SubjectFunctions> {
  /** Calls one function of the subject. Rejects with what it threw. */
  call<Name extends keyof Functions & string>(
    name: Name,
    ...args: Parameters<Functions[Name]>
  ): Promise<Awaited<ReturnType<Functions[Name]>>>;
}

/** Where the learner's code runs: here, in a worker, in another process. */
export interface SubjectBackend {
  call(name: string, args: readonly unknown[]): Promise<unknown>;
  close(): Promise<void>;
}

/** The test asked for a function that the subject does not have: a defect of the chapter. */
export class UnknownSubjectFunctionError extends Error {
  override readonly name = "UnknownSubjectFunctionError";
}

/** Calls the functions in this very thread: fast, and breakpoints work. For the learner's own eyes only. */
export class DirectBackend implements SubjectBackend {
  constructor(private readonly functions: SubjectFunctions) {}

  async call(name: string, args: readonly unknown[]): Promise<unknown> {
    return await callSubject(this.functions, name, structuredClone(args));
  }

  async close(): Promise<void> {}
}

/** Calls a function by its name and copies the result, so that nothing but plain data leaves. */
export async function callSubject(
  functions: SubjectFunctions,
  name: string,
  args: readonly unknown[],
): Promise<unknown> {
  const called = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (typeof called !== "function") {
    throw new UnknownSubjectFunctionError(`the subject has no function “${name}”`);
  }
  return structuredClone(await called(...(args as never[])));
}

/** Gives a back end the types of the chapter's subject. */
export function typedSubject<Functions extends SubjectFunctions>(
  backend: SubjectBackend,
): Subject<Functions> {
  const call = (name: string, ...args: unknown[]) => backend.call(name, args);
  return { call } as Subject<Functions>;
}
