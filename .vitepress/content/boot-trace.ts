/** The boot of Debian's Linux as the book's output tells it: what the kernel wants, and its milestones. */

export interface Milestone {
  /** Guest time, in seconds. */
  readonly seconds: number;
  /** VM exits since the entry. */
  readonly exits: number;
  readonly text: string;
}

export interface BootTrace {
  /** Where the kernel will run, and how many bytes it needs from there. */
  readonly runtimeStart: number;
  readonly initSize: number;
  readonly milestones: readonly Milestone[];
}

/** Reads the text of docs/outputs/08-linux.txt. */
export function readBootTrace(output: string): BootTrace {
  const [, runtimeStart, initSize] = /run at (0x[\da-f_]+), with (0x[\da-f_]+) bytes/.exec(output) ?? [];
  const milestones = [...output.matchAll(/^ +([\d.]+) s +([\d,]+) exits {2}(.+)$/gm)].map(
    ([, seconds, exits, text]): Milestone => ({
      seconds: Number(seconds),
      exits: Number(exits!.replaceAll(",", "")),
      text: text!,
    }),
  );
  if (!runtimeStart || !initSize || milestones.length < 2) throw new Error("this is no boot of Linux");
  return {
    runtimeStart: Number(runtimeStart.replaceAll("_", "")),
    initSize: Number(initSize.replaceAll("_", "")),
    milestones,
  };
}
