/** The embedded guest at its prompt, for tests. */
import { readFileSync } from "node:fs";
import { bootImage } from "../boot/image.ts";
import { Dialogue, type DialogueOptions } from "../machine/dialogue.ts";
import { IMAGE } from "./build.ts";

export const MEMORY = 16 << 20;
export const MAC = "52:54:00:12:34:56";

/** Puts the guest into a machine's memory and its processor at the entry. */
export function loadGuest(machine: Dialogue["machine"], commandLine: string): void {
  const { memory, vcpu, memorySize } = machine.parts;
  const image = readFileSync(IMAGE);
  bootImage("multiboot", memory, vcpu, {
    name: "guest",
    image,
    commandLine,
    address: 0,
    ramSize: memorySize,
  });
}

/** The guest at the entry of its image. */
export function bootGuest(commandLine = "", options: DialogueOptions = {}): Dialogue {
  const dialogue = new Dialogue(MEMORY, 0, options);
  loadGuest(dialogue.machine, commandLine);
  return dialogue;
}

/** Types a command and returns what the guest answers, its lines ended as Unix does. */
export function ask(dialogue: Dialogue, command: string): string {
  dialogue.type(`${command}\r`);
  return withoutEcho(dialogue.until("\n> "));
}

/** An answer without the command before it and the prompt behind it. */
export function withoutEcho(output: string): string {
  return output.replaceAll("\r", "").replace(/> $/, "").replace(/^.*\n/, "");
}
