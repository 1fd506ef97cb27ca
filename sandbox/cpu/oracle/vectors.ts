/** Recorded cases as bytes; README.md describes the format. */
import { ByteReader, ByteWriter } from "./bytes.ts";
import { type CaseInput, COMPLETED, FX, type Outcome } from "./case.ts";
import { DATA_KINDS, type DataKind, expand, UNITS, type Unit } from "./expand.ts";
import { caseSeed } from "./random.ts";

const MAGIC = 0x5256_5856; // "VXVR"
const VERSION = 1;

/** One recorded case. */
export interface Vector {
  readonly counter: number;
  readonly input: CaseInput;
  readonly outcome: Outcome;
}

/** The recorded cases of a form. */
export interface FormVectors {
  readonly id: string;
  readonly unit: Unit;
  readonly data: DataKind;
  readonly seed: number;
  readonly cases: readonly Vector[];
}

/** A form's vectors, still as bytes: `read` makes them. */
export interface PackedForm extends Omit<FormVectors, "cases"> {
  readonly count: number;
  read(): Vector[];
}

export class VectorError extends Error {
  override readonly name = "VectorError";
}

/** Changes when expand.ts makes other states from the same seeds. */
export function expandDigest(): number {
  let hash = 0x811c_9dc5;
  const mix = (bytes: ArrayLike<number>): void => {
    for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, 0x0100_0193);
  };
  UNITS.forEach((unit, at) => {
    for (const kind of DATA_KINDS) {
      for (let seed = 0; seed < 20; seed++) {
        const state = expand(caseSeed(0x1234_5678, seed), at % 3, unit, kind);
        for (const word of state.gpr)
          mix([word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24]);
        mix([state.eflags & 0xff, state.eflags >>> 8]);
        mix(state.data);
        mix(state.stack);
        if (state.fx) mix(state.fx);
      }
    }
  });
  return hash >>> 0;
}

export function encodeVectors(forms: readonly FormVectors[]): Uint8Array {
  const out = new ByteWriter();
  out.u32(MAGIC);
  out.u8(VERSION);
  out.u32(expandDigest());
  out.varint(forms.length);
  for (const form of forms) {
    const rows = new ByteWriter();
    let previous = -1;
    for (const vector of form.cases) {
      rows.varint(vector.counter - previous - 1);
      previous = vector.counter;
      encodeInput(
        rows,
        vector.input,
        expand(caseSeed(form.seed, vector.counter), vector.input.world, form.unit, form.data),
      );
      encodeOutcome(rows, vector.input, vector.outcome);
    }
    const bytes = rows.finish();
    out.text(form.id);
    out.u8(UNITS.indexOf(form.unit));
    out.u8(DATA_KINDS.indexOf(form.data));
    out.u32(form.seed);
    out.varint(form.cases.length);
    out.varint(bytes.length);
    out.bytes(bytes);
  }
  return out.finish();
}

export function openVectors(bytes: Uint8Array): PackedForm[] {
  const reader = new ByteReader(bytes);
  if (reader.u32() !== MAGIC) throw new VectorError("this is no file of vectors");
  const version = reader.u8();
  if (version !== VERSION)
    throw new VectorError(`the vectors have format ${version}, this program reads ${VERSION}`);
  if (reader.u32() !== expandDigest()) {
    throw new VectorError("expand.ts changed since the vectors were recorded: run npm run oracle record");
  }
  return Array.from({ length: reader.varint() }, () => {
    const id = reader.text();
    const unit = UNITS[reader.u8()]!;
    const data = DATA_KINDS[reader.u8()]!;
    const seed = reader.u32();
    const count = reader.varint();
    const rows = reader.bytes(reader.varint());
    return { id, unit, data, seed, count, read: () => decodeRows(rows, count, seed, unit, data) };
  });
}

function decodeRows(rows: Uint8Array, count: number, seed: number, unit: Unit, data: DataKind): Vector[] {
  const reader = new ByteReader(rows);
  let counter = -1;
  return Array.from({ length: count }, () => {
    counter += reader.varint() + 1;
    const input = decodeInput(reader, caseSeed(seed, counter), unit, data);
    return { counter, input, outcome: decodeOutcome(reader, input) };
  });
}

// What an input's first byte says: the world in its low two bits, and what differs from the seed's state.
const GPR_PATCH = 0x04;
const EFLAGS_PATCH = 0x08;
const DATA_PATCH = 0x10;
const STACK_PATCH = 0x20;
const FX_PATCH = 0x40;

function encodeInput(out: ByteWriter, input: CaseInput, base: CaseInput): void {
  let gprs = 0;
  input.gpr.forEach((value, at) => {
    if (value !== base.gpr[at]) gprs |= 1 << at;
  });
  const data = runs(input.data, base.data);
  const stack = runs(input.stack, base.stack);
  const fx = input.fx && base.fx ? runs(input.fx, base.fx) : [];
  out.u8(
    input.world |
      (gprs && GPR_PATCH) |
      (input.eflags !== base.eflags ? EFLAGS_PATCH : 0) |
      (data.length && DATA_PATCH) |
      (stack.length && STACK_PATCH) |
      (fx.length && FX_PATCH),
  );
  out.u8(input.code.length);
  out.bytes(input.code);
  if (gprs) {
    out.u8(gprs);
    for (let at = 0; at < 8; at++) if (gprs & (1 << at)) out.u32(input.gpr[at]!);
  }
  if (input.eflags !== base.eflags) out.u32(input.eflags);
  for (const list of [data, stack, fx]) if (list.length) encodeRuns(out, list);
}

function decodeInput(reader: ByteReader, seed: number, unit: Unit, kind: DataKind): CaseInput {
  const what = reader.u8();
  const state = expand(seed, what & 3, unit, kind);
  const code = reader.bytes(reader.u8());
  if (what & GPR_PATCH) {
    const gprs = reader.u8();
    for (let at = 0; at < 8; at++) if (gprs & (1 << at)) state.gpr[at] = reader.u32();
  }
  const eflags = what & EFLAGS_PATCH ? reader.u32() : state.eflags;
  if (what & DATA_PATCH) decodeRuns(reader, state.data);
  if (what & STACK_PATCH) decodeRuns(reader, state.stack);
  if (what & FX_PATCH) decodeRuns(reader, state.fx!);
  return { ...state, code, eflags };
}

type Run = readonly [offset: number, bytes: Uint8Array];

function runs(now: Uint8Array, before: Uint8Array): Run[] {
  const found: Run[] = [];
  for (let at = 0; at < now.length; at++) {
    if (now[at] === before[at]) continue;
    let end = at + 1;
    // A gap of two equal bytes costs no more than a new run.
    while (end < now.length && (now[end] !== before[end] || now[end + 1] !== before[end + 1])) end++;
    found.push([at, now.subarray(at, end)]);
    at = end;
  }
  return found;
}

function encodeRuns(out: ByteWriter, list: readonly Run[]): void {
  out.varint(list.length);
  for (const [offset, bytes] of list) {
    out.varint(offset);
    out.varint(bytes.length);
    out.bytes(bytes);
  }
}

function decodeRuns(reader: ByteReader, target: Uint8Array): void {
  for (let left = reader.varint(); left > 0; left--) {
    const offset = reader.varint();
    target.set(reader.bytes(reader.varint()), offset);
  }
}

// What an outcome's second byte says.
const GPR_CHANGE = 0x01;
const SEGMENT_CHANGE = 0x02;
const MEMORY_CHANGE = 0x04;
const FX_CHANGE = 0x08;
const ERROR_CODE = 0x10;
const JUMPED = 0x20;

const expectedEip = (input: CaseInput, vector: number): number =>
  vector === COMPLETED ? (input.eip + input.code.length) >>> 0 : input.eip;

function encodeOutcome(out: ByteWriter, input: CaseInput, outcome: Outcome): void {
  let gprs = 0;
  let segments = 0;
  outcome.gpr.forEach((value, at) => {
    if (value !== input.gpr[at]) gprs |= 1 << at;
  });
  outcome.segment.forEach((value, at) => {
    if (value !== input.segment[at]) segments |= 1 << at;
  });
  const fx = outcome.fx && input.fx ? encodeFx(outcome.fx, input) : null;
  const jumped = outcome.eip !== expectedEip(input, outcome.vector);
  const memory = changeRuns(outcome.changes);
  out.u8(outcome.vector);
  out.u8(
    (gprs && GPR_CHANGE) |
      (segments && SEGMENT_CHANGE) |
      (memory.length && MEMORY_CHANGE) |
      (fx ? FX_CHANGE : 0) |
      (outcome.errorCode ? ERROR_CODE : 0) |
      (jumped ? JUMPED : 0),
  );
  out.varint((outcome.eflags ^ input.eflags) >>> 0);
  if (gprs) {
    out.u8(gprs);
    for (let at = 0; at < 8; at++) if (gprs & (1 << at)) out.u32(outcome.gpr[at]!);
  }
  if (segments) {
    out.u8(segments);
    for (let at = 0; at < 6; at++) if (segments & (1 << at)) out.u16(outcome.segment[at]!);
  }
  if (memory.length) encodeRuns(out, memory);
  if (fx) out.bytes(fx);
  if (outcome.errorCode) out.varint(outcome.errorCode);
  if (jumped) out.u32(outcome.eip);
}

function decodeOutcome(reader: ByteReader, input: CaseInput): Outcome {
  const vector = reader.u8();
  const what = reader.u8();
  const eflags = (reader.varint() ^ input.eflags) >>> 0;
  const gpr = input.gpr.slice();
  const segment = input.segment.slice();
  const changes: [number, number][] = [];
  if (what & GPR_CHANGE) {
    const gprs = reader.u8();
    for (let at = 0; at < 8; at++) if (gprs & (1 << at)) gpr[at] = reader.u32();
  }
  if (what & SEGMENT_CHANGE) {
    const segments = reader.u8();
    for (let at = 0; at < 6; at++) if (segments & (1 << at)) segment[at] = reader.u16();
  }
  if (what & MEMORY_CHANGE) {
    for (let left = reader.varint(); left > 0; left--) {
      const offset = reader.varint();
      reader.bytes(reader.varint()).forEach((value, at) => {
        changes.push([offset + at, value]);
      });
    }
  }
  const fx = what & FX_CHANGE ? decodeFx(reader, input) : (input.fx?.slice() ?? null);
  const errorCode = what & ERROR_CODE ? reader.varint() : 0;
  const eip = what & JUMPED ? reader.u32() : expectedEip(input, vector);
  return { vector, errorCode, gpr, eflags, eip, segment, fx, changes };
}

function changeRuns(changes: Outcome["changes"]): Run[] {
  const found: [number, number[]][] = [];
  for (const [offset, value] of changes) {
    const last = found[found.length - 1];
    if (last && last[0] + last[1].length === offset) last[1].push(value);
    else found.push([offset, [value]]);
  }
  return found.map(([offset, values]) => [offset, Uint8Array.from(values)] as const);
}

// The FXSAVE image: the words that changed, then registers. The x87's are told by their physical numbers,
// so that a push changes one of them and not all eight.
const FX_WORDS = [FX.fcw, FX.fsw, FX.ftw, FX.mxcsr, FX.mxcsr + 2] as const;
const POINTERS = 0x20;
const OWN_POINTER = 0x40;

/** The FXSAVE slot of physical register `number`, under the TOP in the image's status word. */
export function slotOf(fx: Uint8Array, number: number): number {
  const top = (fx[FX.fsw + 1]! >>> 3) & 7;
  return FX.st + 16 * ((number - top) & 7);
}

function encodeFx(fx: Uint8Array, input: CaseInput): Uint8Array | null {
  const before = input.fx!;
  let words = 0;
  let stack = 0;
  let xmm = 0;
  FX_WORDS.forEach((at, index) => {
    if (fx[at] !== before[at] || fx[at + 1] !== before[at + 1]) words |= 1 << index;
  });
  for (let number = 0; number < 8; number++) {
    const now = slotOf(fx, number);
    const then = slotOf(before, number);
    if (!same(fx, now, before, then, 10)) stack |= 1 << number;
    if (!same(fx, FX.xmm + 16 * number, before, FX.xmm + 16 * number, 16)) xmm |= 1 << number;
  }
  const pointersChanged = !same(fx, FX.fop, before, FX.fop, 18);
  const own = new Uint8Array(18);
  new DataView(own.buffer).setUint32(2, input.eip, true);
  const isOwn = pointersChanged && same(fx, FX.fop, own, 0, 18);
  if (!(words || stack || xmm || pointersChanged)) return null;
  const out = new ByteWriter();
  out.u8(words | (pointersChanged ? POINTERS : 0) | (isOwn ? OWN_POINTER : 0));
  out.u8(stack);
  out.u8(xmm);
  FX_WORDS.forEach((at, index) => {
    if (words & (1 << index)) out.bytes(fx.subarray(at, at + 2));
  });
  if (pointersChanged && !isOwn) out.bytes(fx.subarray(FX.fop, FX.fop + 18));
  for (let number = 0; number < 8; number++) {
    if (stack & (1 << number)) out.bytes(fx.subarray(slotOf(fx, number), slotOf(fx, number) + 10));
  }
  for (let number = 0; number < 8; number++) {
    if (xmm & (1 << number)) out.bytes(fx.subarray(FX.xmm + 16 * number, FX.xmm + 16 * number + 16));
  }
  return out.finish();
}

function decodeFx(reader: ByteReader, input: CaseInput): Uint8Array {
  const before = input.fx!;
  const fx = before.slice();
  const words = reader.u8();
  const stack = reader.u8();
  const xmm = reader.u8();
  FX_WORDS.forEach((at, index) => {
    if (words & (1 << index)) fx.set(reader.bytes(2), at);
  });
  if (words & OWN_POINTER) {
    fx.fill(0, FX.fop, FX.fop + 18);
    new DataView(fx.buffer).setUint32(FX.fip, input.eip, true);
  } else if (words & POINTERS) fx.set(reader.bytes(18), FX.fop);
  for (let number = 0; number < 8; number++) {
    const then = slotOf(before, number);
    fx.set(stack & (1 << number) ? reader.bytes(10) : before.subarray(then, then + 10), slotOf(fx, number));
  }
  for (let number = 0; number < 8; number++) {
    if (xmm & (1 << number)) fx.set(reader.bytes(16), FX.xmm + 16 * number);
  }
  return fx;
}

function same(a: Uint8Array, at: number, b: Uint8Array, from: number, length: number): boolean {
  for (let index = 0; index < length; index++) if (a[at + index] !== b[from + index]) return false;
  return true;
}
