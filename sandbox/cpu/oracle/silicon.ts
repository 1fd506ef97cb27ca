/** Runs cases on the processor of this machine, through the program silicon.c. */
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CaseInput, COMPLETED, type Outcome } from "./case.ts";

const SOURCE = fileURLToPath(new URL("./silicon.c", import.meta.url));
const INPUT_SIZE = 760;
const OUTCOME_SIZE = 576;
const NO_FX = new Uint8Array(512);
NO_FX.set([0x7f, 0x03]);
NO_FX.set([0x80, 0x1f], 24);

export class SiliconError extends Error {
  override readonly name = "SiliconError";
}

/** Static and position-independent: nothing of the program lies below 4 GiB, where a case could find it. */
const FLAGS = "-O3 -static-pie -fPIE -fno-stack-protector -fcf-protection=none -mno-red-zone".split(" ");

/** Compiles silicon.c where that is not done yet; returns the program's path. */
export function buildSilicon(): string {
  if (process.arch !== "x64" || process.platform !== "linux") {
    throw new SiliconError(`cases run on x86-64 Linux, this is ${process.platform} on ${process.arch}`);
  }
  const folder = join(tmpdir(), `vmexit-oracle-${process.getuid?.() ?? 0}`);
  mkdirSync(folder, { recursive: true });
  const digest = createHash("sha256").update(readFileSync(SOURCE)).update(FLAGS.join(" ")).digest("hex");
  const program = join(folder, `silicon-${digest.slice(0, 16)}`);
  if (existsSync(program)) return program;
  try {
    execFileSync("gcc", [...FLAGS, "-o", `${program}.new`, SOURCE], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (error) {
    const text = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new SiliconError(`gcc cannot build silicon.c: ${text}`);
  }
  renameSync(`${program}.new`, program);
  return program;
}

export class Silicon {
  readonly #child: ChildProcessWithoutNullStreams;
  #received: Buffer[] = [];
  #length = 0;
  #wanted = 0;
  #wake: ((problem?: Error) => void) | undefined;
  #errors = "";

  constructor(program = buildSilicon()) {
    this.#child = spawn(program, { stdio: "pipe" });
    this.#child.stdout.on("data", (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#length += chunk.length;
      if (this.#length >= this.#wanted) this.#wake?.();
    });
    this.#child.stderr.on("data", (chunk: Buffer) => {
      this.#errors += chunk.toString();
    });
    this.#child.stdin.on("error", () => {});
    this.#child.on("close", (code, signal) => {
      this.#wake?.(
        new SiliconError(`the recorder ended (${signal ?? code}): ${this.#errors.trim() || "no message"}`),
      );
    });
  }

  /** Runs the cases in order. An outcome is null where the case changed more memory than can be told. */
  async run(cases: readonly CaseInput[]): Promise<(Outcome | null)[]> {
    const total = cases.reduce((sum, input) => sum + INPUT_SIZE + input.code.length, 0);
    const bytes = Buffer.alloc(8 + total);
    bytes.writeUInt32LE(total, 0);
    bytes.writeUInt32LE(cases.length, 4);
    let at = 8;
    for (const input of cases) at = encodeInput(bytes, at, input);
    this.#child.stdin.write(bytes);
    const length = (await this.#take(4)).readUInt32LE(0);
    const answer = await this.#take(length);
    let from = 0;
    return cases.map(input => {
      const outcome = decodeOutcome(answer, from, input);
      from += OUTCOME_SIZE + 4 * answer.readUInt16LE(from + 2);
      return outcome;
    });
  }

  close(): void {
    this.#child.stdin.end();
  }

  async #take(size: number): Promise<Buffer> {
    while (this.#length < size) {
      this.#wanted = size;
      await new Promise<void>((resolve, reject) => {
        this.#wake = problem => (problem ? reject(problem) : resolve());
        if (this.#child.exitCode !== null)
          reject(new SiliconError(`the recorder has ended: ${this.#errors}`));
      });
    }
    const all = this.#received.length === 1 ? this.#received[0]! : Buffer.concat(this.#received);
    this.#received = all.length > size ? [all.subarray(size)] : [];
    this.#length = all.length - size;
    return all.subarray(0, size);
  }
}

function encodeInput(bytes: Buffer, start: number, input: CaseInput): number {
  let at = start;
  bytes[at] = input.world;
  bytes[at + 1] = input.fx ? 1 : 0;
  bytes.writeUInt16LE(input.code.length, at + 2);
  at += 4;
  for (let index = 0; index < 8; index++, at += 4) bytes.writeUInt32LE(input.gpr[index]!, at);
  bytes.writeUInt32LE(input.eflags >>> 0, at);
  bytes.writeUInt32LE(input.eip, at + 4);
  at += 8;
  for (let index = 0; index < 6; index++, at += 2) bytes.writeUInt16LE(input.segment[index]!, at);
  bytes.set(input.data, at);
  bytes.set(input.stack, at + 128);
  bytes.set(input.fx ?? NO_FX, at + 192);
  at += 704;
  bytes.set(input.code, at);
  return at + input.code.length;
}

/** An FXSAVE image without what the operating system writes into it: MXCSR_MASK and all behind XMM7. */
function image(bytes: Buffer): Uint8Array {
  const fx = new Uint8Array(bytes);
  fx.fill(0, 28, 32);
  fx.fill(0, 288);
  return fx;
}

function decodeOutcome(bytes: Buffer, at: number, input: CaseInput): Outcome | null {
  const vector = bytes[at]!;
  if (bytes[at + 1]) return null;
  const eip = bytes.readUInt32LE(at + 48);
  return {
    vector,
    errorCode: bytes.readUInt32LE(at + 4),
    gpr: Uint32Array.from({ length: 8 }, (_, index) => bytes.readUInt32LE(at + 12 + 4 * index)),
    eflags: bytes.readUInt32LE(at + 44),
    eip: vector === COMPLETED ? (eip - 1) >>> 0 : eip,
    segment: Uint16Array.from({ length: 6 }, (_, index) => bytes.readUInt16LE(at + 52 + 2 * index)),
    fx: input.fx ? image(bytes.subarray(at + 64, at + OUTCOME_SIZE)) : null,
    changes: Array.from({ length: bytes.readUInt16LE(at + 2) }, (_, index) => {
      const change = at + OUTCOME_SIZE + 4 * index;
      return [bytes.readUInt16LE(change), bytes[change + 2]!] as const;
    }),
  };
}
