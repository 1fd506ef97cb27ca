/**
 * What is worth seeing in a guest's memory when it has ended: a descriptor that it made, page walks, and
 * for the guest of long mode the walk in two dimensions. All of it through the layer of this chapter.
 */
import {
  accessRights,
  describeRights,
  descriptorBase,
  descriptorLimit,
} from "#layers/03-paging/descriptors.ts";
import type { NestedWalker } from "#layers/03-paging/nested.ts";
import { explainNestedWalk, explainWalk } from "#layers/03-paging/steps.ts";
import { PageWalker, type PagingRegisters, USER_ACCESS, WRITE_ACCESS } from "#layers/03-paging/walk.ts";
import { hex } from "../tools/exit-log.ts";
import { HypervisorTables } from "./ept.ts";
import type { PagingVm } from "./machine.ts";
import { nestedLines, walkLines } from "./walk-lines.ts";

/** A linear address and what somebody wants there. */
interface Look {
  readonly linear: number;
  readonly access: number;
  readonly to: string;
}

const READ = { access: 0, to: "read" };
const WRITE = { access: WRITE_ACCESS, to: "write" };
const USER_READ = { access: USER_ACCESS, to: "read as user" };

// #region looks
/** Addresses whose walk shows what the guest is about. */
const LOOKS: Readonly<Record<string, readonly Look[]>> = {
  paging: [
    { linear: 0xc000_0004, ...READ },
    { linear: 0x0000_9004, ...READ },
    { linear: 0xc000_0004, ...USER_READ },
  ],
  fault: [
    { linear: 0x0040_1000, ...READ },
    { linear: 0x0040_3000, ...WRITE },
  ],
  "copy-on-write": [{ linear: 0x0040_0000, ...WRITE }],
  stale: [{ linear: 0x0040_0000, ...READ }],
};

/** Where the guest of long mode has its page, and the table that holds the page's entry. */
export const NESTED_LINEAR = 0x0080_8060_4000;
export const NESTED_TABLE = 0x0002_3000;
// #endregion looks

/** The lines for the guest called `name`, whose run is over. */
export function look(name: string, vm: PagingVm): string[] {
  if (name === "protected") return descriptorTable(vm);
  if (name === "nested") return nestedWalks(vm);
  return walks(vm, LOOKS[name] ?? []);
}

function walks(vm: PagingVm, looks: readonly Look[]): string[] {
  const walker = new PageWalker(vm.physical);
  walker.configure(pagingRegisters(vm));
  return looks.flatMap(({ linear, access, to }) => walkLines(explainWalk(walker, linear, access), to));
}

function pagingRegisters({ vcpu }: PagingVm): PagingRegisters {
  const { cr0, cr3, cr4, efer } = vcpu.getSregs();
  return { cr0: Number(cr0) | 0, cr3: Number(cr3), cr4: Number(cr4), efer: Number(efer) };
}

function descriptorTable({ vcpu, memory }: PagingVm): string[] {
  const { gdt } = vcpu.getSregs();
  const lines = [`descriptors at ${hex(gdt.base, 8)}: selector, base, limit, rights`];
  for (let selector = 8; selector < gdt.limit; selector += 8) {
    const low = memory.read(Number(gdt.base) + selector, 4);
    const high = memory.read(Number(gdt.base) + selector + 4, 4);
    const base = hex(descriptorBase(low, high), 8);
    const limit = hex(descriptorLimit(low, high), 8);
    const words = describeRights(accessRights(high)).join(", ");
    lines.push(`  ${hex(selector, 4)}  ${base}  ${limit}  ${words}`);
  }
  return lines;
}

const CR0_PG = 0x8000_0001 | 0;
const CR4_PAE = 1 << 5;
const EFER_LMA = 1 << 10;

/** The guest's tables as long mode would walk them, over extended page tables. None while CR3 is 0. */
export function nestedLook(vm: PagingVm): string[] {
  const { cr3 } = vm.vcpu.getSregs();
  if (cr3 === 0n) return [];
  const walker = longModeWalker(new HypervisorTables(vm.memory), Number(cr3));
  return nestedLines(explainNestedWalk(walker, NESTED_LINEAR), "read");
}

function longModeWalker(tables: HypervisorTables, cr3: number): NestedWalker {
  return tables.walker({ cr0: CR0_PG, cr3, cr4: CR4_PAE, efer: EFER_LMA });
}

/** The walk, and then without a page that the hypervisor has taken away. */
function nestedWalks({ memory, vcpu }: PagingVm): string[] {
  const tables = new HypervisorTables(memory);
  const walker = longModeWalker(tables, Number(vcpu.getSregs().cr3));
  const whole = nestedLines(explainNestedWalk(walker, NESTED_LINEAR), "read");
  tables.allow(NESTED_TABLE, 0);
  const cut = nestedLines(explainNestedWalk(walker, NESTED_LINEAR), "read");
  const [heading = "", ...rest] = cut;
  return [
    ...whole,
    `the hypervisor takes guest-physical ${hex(NESTED_TABLE, 8)} away`,
    heading,
    "   …",
    ...rest.slice(-5),
  ];
}
