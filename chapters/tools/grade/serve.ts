/**
 * The program of a submission's process: takes calls, answers them, and knows nothing else.
 *
 * A call is a line on descriptor 3, its answer a line back. No test, no expected value and no point ever
 * comes here, so whatever a submission does to this process, it can only answer calls. Lines are read
 * without the event loop: a submission's timers do not run between two calls.
 *
 * Before a submission is loaded the globals shrink to the language itself, a console and timers. Together
 * with the bundler, which leaves it no import, and the flag that forbids `eval`, a submission finds no way
 * to files, processes or the network in the first place. That is a lock on the door, not the wall: the
 * wall is what the process may do (isolation.ts).
 */
import { readSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspect } from "node:util";
import { readPlain, writePlain } from "./plain-data.ts";

const CHANNEL = 3;
const HERE = dirname(fileURLToPath(import.meta.url));

/** One line of the grader. */
export type Request =
  | { readonly id: string; readonly do: "hello" }
  | { readonly id: string; readonly do: "load"; readonly chapter: string; readonly open: boolean }
  | { readonly id: string; readonly do: "call"; readonly name: string; readonly args: readonly unknown[] };

/** One line back. */
export type Answer =
  | { readonly id: string; readonly value: unknown }
  | { readonly id: string; readonly error: { name: string; message: string; stack: string } }
  /** The subject has no such function: a defect of the chapter. */
  | { readonly id: string; readonly lacks: string };

// Taken now: a submission that is loaded later may replace them.
const clone = structuredClone;
const { hasOwn } = Object;
const { exit } = process;

let functions: object = {};

async function answerTo(request: Request): Promise<string> {
  const { id } = request;
  try {
    if (request.do === "hello") return writePlain({ id, value: process.version });
    if (request.do === "load") {
      const path = pathToFileURL(join(HERE, request.chapter, "ground", "subject.mjs")).href;
      if (!request.open) shrinkGlobals();
      functions = ((await import(path)) as { subject: object }).subject;
      return writePlain({ id, value: null });
    }
    const { name, args } = request;
    const called: unknown = hasOwn(functions, name) ? Reflect.get(functions, name) : undefined;
    if (typeof called !== "function") return writePlain({ id, lacks: name });
    return writePlain({ id, value: clone(await called(...args)) });
  } catch (error) {
    return writePlain({ id, error: told(error) });
  }
}

/** What is told of a thrown value; reading it may throw, too. */
function told(error: unknown): { name: string; message: string; stack: string } {
  try {
    if (!(error instanceof Error)) return { name: "Error", message: `${String(error)}`, stack: "" };
    const { name, message, stack } = error;
    return { name: `${name}`, message: `${message}`, stack: `${stack ?? ""}` };
  } catch {
    return { name: "Error", message: "what was thrown cannot be read", stack: "" };
  }
}

const KEPT = new Set([
  ...["structuredClone", "queueMicrotask", "setTimeout", "clearTimeout", "setInterval", "clearInterval"],
  ...["TextEncoder", "TextDecoder", "WebAssembly", "console", "globalThis"],
]);

/** Node's globals have a getter or are writable and configurable; the language's are not enumerable. */
function shrinkGlobals(): void {
  if (!hasOwn(globalThis, "process")) return;
  const write = (...parts: unknown[]) => {
    const text = parts.map(part => (typeof part === "string" ? part : inspect(part))).join(" ");
    writeAll(1, `${text}\n`);
  };
  const methods = ["log", "info", "warn", "error", "debug", "trace", "table", "dir"];
  const quiet = Object.fromEntries(methods.map(name => [name, write]));
  const powers = ["binding", "_linkedBinding", "dlopen", "kill", "_kill", "_debugProcess", "_debugEnd"];
  for (const name of [...powers, "abort", "report", "getBuiltinModule"]) {
    Reflect.deleteProperty(process, name);
  }
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    if (!KEPT.has(name) && !isOfTheLanguage(name)) Reflect.deleteProperty(globalThis, name);
  }
  Object.defineProperty(globalThis, "console", { value: quiet, configurable: true, writable: true });
}

function isOfTheLanguage(name: string): boolean {
  return LANGUAGE.has(name);
}

const LANGUAGE = new Set([
  ...["Object", "Function", "Array", "Number", "parseFloat", "parseInt", "Infinity", "NaN", "undefined"],
  ...["Boolean", "String", "Symbol", "Date", "Promise", "RegExp", "Error", "AggregateError", "EvalError"],
  ...["RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "JSON", "Math", "Intl"],
  ...["ArrayBuffer", "Atomics", "Uint8Array", "Int8Array", "Uint16Array", "Int16Array", "Uint32Array"],
  ...["Int32Array", "Float32Array", "Float64Array", "Uint8ClampedArray", "BigUint64Array", "BigInt64Array"],
  ...["Float16Array", "DataView", "Map", "BigInt", "Set", "Iterator", "WeakMap", "WeakSet", "WeakRef"],
  ...["Proxy", "Reflect", "FinalizationRegistry", "decodeURI", "decodeURIComponent", "encodeURI"],
  ...[
    "encodeURIComponent",
    "escape",
    "unescape",
    "isFinite",
    "isNaN",
    "SharedArrayBuffer",
    "SuppressedError",
  ],
  ...["DisposableStack", "AsyncDisposableStack"],
]);

// #region lines
const chunk = Buffer.alloc(0x1_0000);
let pending = Buffer.alloc(0);
const { concat, from } = Buffer;

/** The next line of the grader; undefined when it has gone. */
function readLine(): string | undefined {
  for (;;) {
    const end = pending.indexOf(0x0a);
    if (end >= 0) {
      const line = pending.toString("utf8", 0, end);
      pending = pending.subarray(end + 1);
      return line;
    }
    const length = readSync(CHANNEL, chunk);
    if (length === 0) return undefined;
    pending = concat([pending, chunk.subarray(0, length)]);
  }
}

function writeAll(descriptor: number, text: string): void {
  const bytes = from(text, "utf8");
  for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}
// #endregion lines

for (;;) {
  const line = readLine();
  if (line === undefined) exit(0);
  writeAll(CHANNEL, `${await answerTo(readPlain(line!) as Request)}\n`);
}
