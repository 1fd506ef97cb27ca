/** The guests of chapter 1 and what each must do, on any engine. */
import { guestImage } from "../tools/guest-image.ts";

export interface ExpectedRun {
  readonly name: string;
  readonly image: Uint8Array;
  readonly output: string;
  readonly ends: "HLT" | "SHUTDOWN" | "INTR";
}

async function guest(name: string, ends: ExpectedRun["ends"], output: string): Promise<ExpectedRun> {
  return { name, ends, output, image: await guestImage(new URL(`./guest/${name}.bin`, import.meta.url)) };
}

export const GUESTS: readonly ExpectedRun[] = await Promise.all([
  guest("add", "HLT", "4\n"),
  guest("string", "HLT", "Hello from real mode!\n"),
  guest("mmio", "HLT", "42\n"),
  guest("triple-fault", "SHUTDOWN", "!"),
  guest("spin", "INTR", ""),
]);
