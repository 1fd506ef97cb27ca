/**
 * What a learner's files get in place of the constructors of large things, so that a program that asks for memory
 * without end is told so before the browser's tab is gone. Only their own modules see these: `underBudget` imports
 * them there under the usual names, and the reference and the machine keep the browser's.
 *
 * Counted are typed arrays, buffers and arrays made with a length. What a literal, `push`, `slice` or a string
 * takes is not: it grows more slowly, and the watch over loops (turn-of-loop.ts) comes first.
 */
import { tellLimit } from "./turn-of-loop.ts";

/** No layer takes a hundredth of this, and a tab has several times as much. */
export const MOST_BYTES = 512 * 2 ** 20;
/** Smaller things are counted together, by the last of them. */
const TOGETHER = 2 ** 20;

export class TooMuchMemoryError extends Error {
  override readonly name = "TooMuchMemoryError";
}

let taken = 0;
let small = 0;
const given = new FinalizationRegistry<number>(bytes => {
  taken -= bytes;
});

type Constructor = new (...values: never[]) => object;

/** `Original`, which counts: `each` is the bytes of an element. */
function counted<Original extends Constructor>(original: Original, each: number): Original {
  const make = (values: unknown[], target: unknown): object => {
    const bytes = elements(values) * each;
    if (taken + small + bytes > MOST_BYTES) refuse();
    const made = Reflect.construct(original, values, target as Original) as object;
    small += bytes;
    if (small >= TOGETHER) {
      given.register(made, small);
      taken += small;
      small = 0;
    }
    return made;
  };
  return new Proxy(original, {
    construct: (_, values, target) => make(values, target),
    // Array(n) is new Array(n); the others refuse to be called.
    apply: (callee, self, values) =>
      (callee as unknown) === Array
        ? make(values, original)
        : Reflect.apply(callee as unknown as () => unknown, self, values),
  });
}

/** Of a view of a buffer that is there already: none. */
function elements([first]: unknown[]): number {
  if (typeof first === "number") return first > 0 ? first : 0;
  if (Array.isArray(first) || ArrayBuffer.isView(first)) return (first as Uint8Array).length ?? 0;
  return 0;
}

function refuse(): never {
  const error = new TooMuchMemoryError(
    `your code asked for more than ${MOST_BYTES / 2 ** 20} MiB of memory: does it keep what it no longer needs?`,
  );
  tellLimit(error);
  throw error;
}

const SIZES = {
  Array: 8,
  ArrayBuffer: 1,
  BigInt64Array: 8,
  BigUint64Array: 8,
  Float32Array: 4,
  Float64Array: 8,
  Int8Array: 1,
  Int16Array: 2,
  Int32Array: 4,
  SharedArrayBuffer: 1,
  Uint8Array: 1,
  Uint8ClampedArray: 1,
  Uint16Array: 2,
  Uint32Array: 4,
} as const;

/** By name; a page without cross-origin isolation has no `SharedArrayBuffer`. */
export const BUDGETED = Object.fromEntries(
  Object.entries(SIZES).flatMap(([name, each]) => {
    const original = (globalThis as unknown as Record<string, Constructor | undefined>)[name];
    return original ? [[name, counted(original, each)]] : [];
  }),
);
