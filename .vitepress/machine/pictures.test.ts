/** What the layers' views show of guest memory, against what the guests themselves say of it. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { INITRD } from "../../chapters/08-linux/machine.ts";
import { openSoft } from "../../sandbox/kvm/soft/soft.ts";
import { Session } from "../../sandbox/session/session.ts";
import type { BootPicture } from "./boot-picture.ts";
import { findBuilding } from "./chapters.ts";
import { guestImagePath, KNOWN_RUNS } from "./known-runs.ts";

async function open(chapter: string, guest: string): Promise<Session> {
  const image = readFileSync(guestImagePath(chapter, guest));
  return new Session((await findBuilding(chapter))(new Uint8Array(image)), openSoft());
}

const hex = (value: number) =>
  `0x${value
    .toString(16)
    .padStart(8, "0")
    .replace(/(?=....$)/, "_")}`;

describe.each(["tiny", "pvh"])("chapter 8's picture of %s", guest => {
  it("is what the kernel finds in its memory", async () => {
    const session = await open("08-linux", guest);
    const { map, commandLine, initrd, protocol } = session.machine.picture!() as BootPicture;
    const { output } = KNOWN_RUNS.find(run => run.guest === guest)!;
    const lines = map.map(({ start, size, type }) => {
      return `  ${hex(start)} to ${hex(start + size)}  ${type === 1 ? "usable" : "reserved"}`;
    });
    expect(lines).toHaveLength(4);
    expect(output).toContain(`${lines.join("\n")}\n`);
    expect(output).toContain(`command line   ${commandLine.text}\n`);
    expect(output).toContain(`${initrd!.size} bytes at ${hex(initrd!.address)}`);
    expect(initrd!.size).toBe(INITRD.length);
    expect(protocol).toBe(guest === "pvh" ? "PVH" : "Linux");
    session.close();
  });
});

describe("chapter 8's picture of a page that the guest has overwritten", () => {
  it("is none where it points outside of memory, and short where it says too much", async () => {
    const session = await open("08-linux", "tiny");
    session.writeMemory(0x1_0000, new Uint8Array(4096).fill(0xff));
    expect(session.machine.picture!()).toBeUndefined();
    session.close();
  });
});

describe("chapter 3's picture of tables for long mode", () => {
  it("is nothing before the guest loads CR3, and then the walk with its 24 references", async () => {
    const session = await open("03-paging", "nested");
    expect(session.machine.picture!()).toBe("");
    session.run({ instructions: 1_000_000, exits: 1000 });
    const lines = (session.machine.picture!() as string).split("\n");
    const shown = readFileSync(new URL("../../docs/outputs/03-nested.txt", import.meta.url), "utf8").split(
      "\n",
    );
    const first = shown.findIndex(line => line.includes("walk of"));
    expect(lines).toEqual(shown.slice(first, first + 26).map(line => line.slice(3)));
    expect(lines.at(-1)).toContain("24 references");
    session.close();
  });
});
