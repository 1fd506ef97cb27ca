/** What the files are that a visitor gave: a saved machine, or a kernel and perhaps its initial RAM disk. */

const SAVE_MAGIC = "vmexit\r\n";
const LINUX_MAGIC = "HdrS";
const LINUX_MAGIC_AT = 0x202;
const ELF_MAGIC = "\x7fELF";
const LOOKED_AT = LINUX_MAGIC_AT + LINUX_MAGIC.length;

export interface GivenFiles {
  readonly save?: File;
  readonly kernel?: File;
  readonly initrd?: File;
}

/** Whether something dragged is a file, and not a word of the page or a link. */
export function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** By their first bytes; a file that is neither a save file nor a kernel goes along with the kernel. */
export async function sortFiles(files: readonly File[]): Promise<GivenFiles> {
  let given: GivenFiles = {};
  for (const file of files) {
    const head = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
    const says = (at: number, text: string) =>
      [...text].every((character, index) => head[at + index] === character.charCodeAt(0));
    if (says(0, SAVE_MAGIC)) given = { ...given, save: file };
    else if (says(LINUX_MAGIC_AT, LINUX_MAGIC) || says(0, ELF_MAGIC)) given = { ...given, kernel: file };
    else given = { ...given, initrd: file };
  }
  // Alone it can only be meant as an image: the machine says what it makes of it.
  if (given.initrd && !given.kernel && files.length === 1) return { kernel: given.initrd };
  return given;
}

export async function bytesOf(file: File): Promise<Uint8Array> {
  return new Uint8Array(await file.arrayBuffer());
}
