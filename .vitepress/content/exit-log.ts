/**
 * Reads an exit log back from terminal output, so that figures are drawn from what really ran.
 * The lines are those of `chapters/tools/exit-log.ts`.
 */
export interface LoggedExit {
  readonly number: number;
  readonly reason: string;
  readonly direction?: string;
  readonly address?: string;
  /** As logged: "1 byte", "22×1 byte". */
  readonly size?: string;
  /** The bytes, or the same as quoted text where the log has it. */
  readonly data?: string;
  /** What the log says of an exit that moves no data. */
  readonly note?: string;
}

const EXIT = /^#(\d+)\s+([A-Z][A-Z_]+)(?:\s+(.+))?$/;
const ACCESS =
  /^(out|in|write|read)\s+(0x[\da-f_]+)\s+((?:\d+×)?\d+ bytes?)\s+((?:[\da-f]{2}\s?)+…?)\s*(".*")?$/;

export function parseExitLog(output: string): LoggedExit[] {
  return output.split("\n").flatMap(line => {
    const [, number, reason, rest] = EXIT.exec(line.trimEnd()) ?? [];
    if (!number || !reason) return [];
    const exit = { number: Number(number), reason };
    const access = rest === undefined ? null : ACCESS.exec(rest);
    if (!access) return [{ ...exit, ...(rest && { note: rest }) }];
    const [, direction, address, size, bytes, text] = access;
    return [{ ...exit, direction, address, size, data: text ?? bytes?.trim() }];
  });
}

/** Whether the monitor enters the guest again after this exit. */
export function goesOn({ reason }: LoggedExit): boolean {
  return reason === "IO" || reason === "MMIO" || reason === "IRQ_WINDOW_OPEN";
}

/** Who the exit's colour belongs to, as in the exit log. */
export function isFault({ reason }: LoggedExit): boolean {
  return ["SHUTDOWN", "FAIL_ENTRY", "INTERNAL_ERROR", "UNKNOWN"].includes(reason);
}
