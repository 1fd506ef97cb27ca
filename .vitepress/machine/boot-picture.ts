/** What a loader has told a kernel, as it stands in guest memory: by the boot parameters, or by PVH's start info. */
import type { GuestMemory } from "#layers/01-minimal-vm/memory.ts";
import { E820_ENTRIES, E820_LINE, E820_TABLE } from "#layers/08-linux/boot-params.ts";
import { INFORMATION_ADDRESS } from "#layers/08-linux/layout.ts";
import { CMD_LINE_PTR, RAMDISK_IMAGE, RAMDISK_SIZE } from "#layers/08-linux/setup-header.ts";
import {
  CMDLINE_PADDR,
  MAP_LINE_SIZE,
  MEMMAP_ENTRIES,
  MEMMAP_PADDR,
  MODLIST_PADDR,
  NR_MODULES,
} from "#layers/08-linux/start-info.ts";

export interface BootPicture {
  readonly protocol: "Linux" | "PVH";
  readonly map: readonly { readonly start: number; readonly size: number; readonly type: number }[];
  readonly commandLine: { readonly address: number; readonly text: string };
  readonly initrd?: { readonly address: number; readonly size: number };
}

/** As many lines and characters as a page shows. */
const MOST_LINES = 16;
const MOST_CHARACTERS = 80;

/** Undefined where it points outside of memory: a guest may write over it. */
export function bootPicture(memory: GuestMemory, protocol: BootPicture["protocol"]): BootPicture | undefined {
  const read = (address: number) => memory.read(INFORMATION_ADDRESS + address, 4);
  try {
    return protocol === "PVH" ? startInfoPicture(memory, read) : bootParamsPicture(memory, read);
  } catch {
    return undefined;
  }
}

type ReadField = (offset: number) => number;

function bootParamsPicture(memory: GuestMemory, read: ReadField): BootPicture {
  const size = read(RAMDISK_SIZE);
  return {
    protocol: "Linux",
    map: mapAt(memory, INFORMATION_ADDRESS + E820_TABLE, E820_LINE, read(E820_ENTRIES) & 0xff),
    commandLine: textAt(memory, read(CMD_LINE_PTR)),
    ...(size > 0 && { initrd: { address: read(RAMDISK_IMAGE), size } }),
  };
}

function startInfoPicture(memory: GuestMemory, read: ReadField): BootPicture {
  const modules = read(MODLIST_PADDR);
  return {
    protocol: "PVH",
    map: mapAt(memory, read(MEMMAP_PADDR), MAP_LINE_SIZE, read(MEMMAP_ENTRIES)),
    commandLine: textAt(memory, read(CMDLINE_PADDR)),
    ...(read(NR_MODULES) > 0 && {
      initrd: { address: memory.read(modules, 4), size: memory.read(modules + 8, 4) },
    }),
  };
}

/** In both protocols a line begins with start and size of 8 bytes, and the type. This machine is below 4 GiB. */
function mapAt(memory: GuestMemory, table: number, lineSize: number, lines: number): BootPicture["map"] {
  return Array.from({ length: Math.min(lines, MOST_LINES) }, (_, index) => {
    const line = table + lineSize * index;
    return { start: memory.read(line, 4), size: memory.read(line + 8, 4), type: memory.read(line + 16, 4) };
  });
}

function textAt(memory: GuestMemory, address: number): BootPicture["commandLine"] {
  let text = "";
  for (let at = address; text.length < MOST_CHARACTERS; at++) {
    const code = memory.read(at, 1);
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return { address, text };
}
