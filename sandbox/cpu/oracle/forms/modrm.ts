/** Forms with a ModRM byte: one for a register operand, one for memory, of each operand size. */
import type { Draft, Form, OperandSize } from "../draft.ts";
import type { DataKind, Unit } from "../expand.ts";

export interface ModrmOptions {
  /** Operand sizes; default: 16 and 32. */
  readonly sizes?: readonly OperandSize[];
  /** The reg field, where it is part of the opcode. */
  readonly reg?: number;
  /** Values of the reg field to choose from, where not all eight are sensible. */
  readonly regs?: readonly number[];
  /** Bits of the immediate; "operand" for one of the operand's size. */
  readonly immediate?: 8 | "operand";
  readonly lock?: boolean;
  readonly only?: "reg" | "mem";
  /** Bytes of the memory operand; default: the operand's size. */
  readonly memory?: number;
  readonly align?: number;
  readonly unit?: Unit;
  readonly data?: DataKind;
  readonly cases?: number;
  /** A mandatory prefix of SSE. */
  readonly mandatory?: number;
  /** Bytes that an operand may reach before and behind its address. */
  readonly before?: number;
  readonly after?: number;
  /** Called first, when only the seed's state is there. */
  readonly prepare?: (draft: Draft, size: OperandSize) => void;
  /** Called last. */
  readonly finish?: (draft: Draft, size: OperandSize) => void;
}

export const hex = (value: number): string => value.toString(16).toUpperCase().padStart(2, "0");

export function modrm(opcode: readonly number[], name: string, options: ModrmOptions = {}): Form[] {
  const { sizes = [16, 32], reg, unit = "none", data = "integer" } = options;
  const forms: Form[] = [];
  const digits = [...(options.mandatory ? [options.mandatory] : []), ...opcode].map(hex).join(" ");
  const group = reg === undefined ? "" : ` /${reg}`;
  for (const size of sizes) {
    for (const kind of ["reg", "mem"] as const) {
      if (options.only && options.only !== kind) continue;
      const width = options.sizes?.length === 1 ? "" : ` ${size}`;
      forms.push({
        id: `${digits}${group} ${name}${width} ${kind}`,
        unit,
        data,
        ...(options.cases ? { cases: options.cases } : {}),
        make(draft) {
          const { random } = draft;
          options.prepare?.(draft, size);
          if (kind === "mem") draft.anyAddressSize();
          draft.operandSize(size);
          if (options.mandatory) draft.prefix(options.mandatory);
          if (options.lock && kind === "mem" && random.chance(0.1)) draft.prefix(0xf0);
          draft.bytes(...opcode);
          const field = reg ?? (options.regs ? random.pick(options.regs) : random.below(8));
          if (kind === "reg") draft.modrmRegister(field, random.below(8));
          else {
            const { memory = size / 8, align = 1, before = 0, after = 0 } = options;
            draft.modrmMemory(field, memory, { align, before, after });
          }
          if (options.immediate) draft.immediate(options.immediate === 8 ? 8 : size);
          options.finish?.(draft, size);
        },
      });
    }
  }
  return forms;
}

export interface PlainOptions {
  readonly sizes?: readonly OperandSize[];
  readonly immediate?: 8 | 16 | "operand";
  readonly unit?: Unit;
  readonly data?: DataKind;
  readonly cases?: number;
  readonly mandatory?: number;
  /** Called before the opcode is written: chooses the world and the registers. */
  readonly prepare?: (draft: Draft, size: OperandSize) => void;
  /** Called last. */
  readonly finish?: (draft: Draft, size: OperandSize) => void;
}

/** A form without ModRM. */
export function plain(opcode: readonly number[], name: string, options: PlainOptions = {}): Form[] {
  const { sizes = [8], immediate, unit = "none", data = "integer" } = options;
  const digits = [...(options.mandatory ? [options.mandatory] : []), ...opcode].map(hex).join(" ");
  return sizes.map(size => ({
    id: `${digits} ${name}${sizes.length > 1 ? ` ${size}` : ""}`,
    unit,
    data,
    ...(options.cases ? { cases: options.cases } : {}),
    make(draft) {
      options.prepare?.(draft, size);
      draft.operandSize(size);
      if (options.mandatory) draft.prefix(options.mandatory);
      draft.bytes(...opcode);
      if (immediate) draft.immediate(immediate === "operand" ? size : immediate);
      options.finish?.(draft, size);
    },
  }));
}
