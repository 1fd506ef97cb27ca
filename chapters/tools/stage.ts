/**
 * What a chapter's main.ts stands on: the words of the command line, the engine, the guest's image, and
 * the printing of exits and vCPU dumps. So main.ts itself stays the virtual machine and nothing else.
 *
 *     const stage = await openStage(import.meta.url);
 *     for (const guest of stage.guests) {
 *       const hypervisor = await stage.enter(guest);
 *       …
 *       stage.exit(exit);
 *       stage.dump(vcpu, memory);   // prints with the word `trace`
 *     }
 */
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { EngineName, Exit, Hypervisor, Vcpu } from "../../sandbox/kvm/api.ts";
import type { Chapter, FetchedGuest, Guest } from "./chapter-manifest.ts";
import { ROOT, readChapter } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import type { Disassembler } from "./disassembly.ts";
import { exitLine } from "./exit-log.ts";
import { codeBits, linearRip, type VcpuState, vcpuDump } from "./vcpu-dump.ts";

/** A guest with its image read. */
export interface StagedGuest extends Guest {
  readonly bytes: Uint8Array;
}

/** What the disassembly in a dump needs of guest memory; addresses are guest-physical. */
export interface CodeMemory {
  readBytes(address: number, length: number): Uint8Array;
}

/** The engine that a chapter takes when the reader names none, and why. */
export interface UnaskedEngine {
  readonly engine: EngineName;
  readonly because: string;
}

export class Stage {
  #hypervisor: Hypervisor | undefined;
  #exits = 0;
  /** What the guest has printed and the stage has not. */
  #printed = "";
  #before: VcpuState | undefined;

  constructor(
    readonly chapter: Chapter,
    /** The guests that were named, or all of the chapter. */
    readonly guests: readonly StagedGuest[],
    /** Of the guests to fetch only those that were named. */
    readonly fetched: readonly FetchedGuest[],
    /** Whether dumps are wanted. */
    readonly trace: boolean,
    /** The engine that was named. */
    readonly engine: EngineName | undefined,
    private readonly disassemble: Disassembler | undefined,
  ) {}

  /**
   * Prints the guest's heading, opens the engine that suits it and says which; closes the one before.
   * A chapter about the processor itself says which engine it takes `unasked`, and why. Of several guests
   * one that the wanted engine cannot run is left out, in a line that says why, and nothing is returned.
   */
  async enter(guest: FetchedGuest, unasked?: UnaskedEngine): Promise<Hypervisor | undefined> {
    this.close();
    this.#exits = 0;
    this.#before = undefined;
    try {
      const { hypervisor, sentence } = await this.#open(guest, unasked);
      this.#hypervisor = hypervisor;
      this.print(`── ${guest.name}: ${guest.does}`);
      this.print(`   ${sentence}`);
    } catch (error) {
      const { UnsuitableEngineError } = await import("../../sandbox/kvm/engines.ts");
      if (this.guests.length + this.fetched.length === 1 || !(error instanceof UnsuitableEngineError))
        throw error;
      this.print(`── ${guest.name}: left out. ${error.message}`);
    }
    return this.#hypervisor;
  }

  async #open(
    guest: FetchedGuest,
    unasked?: UnaskedEngine,
  ): Promise<{ hypervisor: Hypervisor; sentence: string }> {
    const { chooseEngine, openEngine } = await import("../../sandbox/kvm/engines.ts");
    if (!unasked || this.engine) return chooseEngine(this.engine, guest.needs);
    const { engine, because } = unasked;
    return { hypervisor: await openEngine(engine), sentence: `engine: ${engine}, ${because}` };
  }

  /** Takes one byte of what the guest prints; its lines are shown apart from the exit log. */
  output(byte: number): void {
    this.#printed += String.fromCharCode(byte);
  }

  /** Prints one line of the exit log. */
  exit(exit: Exit): void {
    this.print(exitLine(++this.#exits, exit));
    this.#showLines();
  }

  /** As `output`, where not every exit is printed: each line of the guest is shown when it ends. */
  outputLine(byte: number): void {
    this.output(byte);
    if (byte === 0x0a) this.#showLines();
  }

  /** Shows what the guest has printed of a line that it never ended. */
  endLine(): void {
    if (this.#printed) this.print(`guest │ ${this.#printed}`);
    this.#printed = "";
  }

  #showLines(): void {
    const lines = this.#printed.split("\n");
    this.#printed = lines.pop()!;
    for (const line of lines) this.print(`guest │ ${line}`);
  }

  /** With the word `trace`: prints the vCPU, marking what changed since the last dump. */
  dump(vcpu: Vcpu, memory: CodeMemory): void {
    if (!this.trace) return;
    const now: VcpuState = { regs: vcpu.getRegs(), sregs: vcpu.getSregs() };
    const code = this.disassemble ? codeAt(now, memory, this.disassemble) : [];
    for (const line of vcpuDump(now, this.#before, code)) this.print(`     ${line}`);
    this.#before = now;
  }

  print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  /** Releases the engine. */
  close(): void {
    this.endLine();
    this.#hypervisor?.close();
    this.#hypervisor = undefined;
  }
}

const SHOWN_INSTRUCTIONS = 3;
const LONGEST_INSTRUCTION = 15;

function codeAt(state: VcpuState, memory: CodeMemory, disassemble: Disassembler) {
  const rip = linearRip(state);
  const paging = state.sregs.cr0 >> 31n;
  if (paging) return []; // the linear address would have to be walked to a physical one
  for (let length = SHOWN_INSTRUCTIONS * LONGEST_INSTRUCTION; length > 0; length--) {
    try {
      const bytes = memory.readBytes(Number(rip), length);
      return disassemble({ bytes, address: rip, bits: codeBits(state.sregs) }, SHOWN_INSTRUCTIONS);
    } catch {
      // The end of memory is nearer than the longest instructions.
    }
  }
  return [];
}

/** Reads the words that the runner passed: an engine, `trace`, a guest. `main` is main.ts's import.meta.url. */
export async function openStage(main: string, words = process.argv.slice(2)): Promise<Stage> {
  const chapter = readChapter(basename(dirname(fileURLToPath(main))));
  const engine = words.includes("kvm") ? "kvm" : words.includes("soft") ? "soft" : undefined;
  const trace = words.includes("trace");
  const named = chapter.guests.filter(guest => words.includes(guest.name));
  const fetched = chapter.fetched.filter(guest => words.includes(guest.name));
  const isAnyNamed = named.length + fetched.length > 0;
  const guests = (isAnyNamed ? named : chapter.guests).map(guest => stageGuest(chapter, guest));
  const disassembler = trace ? await (await import("./disassembly.ts")).loadDisassembler() : undefined;
  return new Stage(chapter, guests, fetched, trace, engine, disassembler);
}

function stageGuest(chapter: Chapter, guest: Guest): StagedGuest {
  const path = join(ROOT, "chapters", chapter.name, guest.image);
  if (!existsSync(path)) {
    throw new Complaint(`${relative(ROOT, path)} is missing: assemble it with \`npm run guests\``);
  }
  return { ...guest, bytes: new Uint8Array(readFileSync(path)) };
}
