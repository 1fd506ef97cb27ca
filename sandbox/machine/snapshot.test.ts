import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as zlib from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import type { Clock } from "#layers/01-minimal-vm/bus.ts";
import { bootImage } from "../boot/image.ts";
import { IMAGE } from "../guest/build.ts";
import { bootGuest, MAC } from "../guest/guest-dialogue.ts";
import { Capture } from "../net/capture.ts";
import { MemorySockets } from "../net/memory-sockets.ts";
import { UserNetwork } from "../net/user-network.ts";
import { crc32 } from "./crc32.ts";
import { Dialogue } from "./dialogue.ts";
import { readSnapshot, restoreMachine, SNAPSHOT_VERSION, SnapshotError, saveMachine } from "./snapshot.ts";

const MEMORY = 16 << 20;
const image = readFileSync(IMAGE);
const folder = mkdtempSync(join(tmpdir(), "vmexit-snapshot-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** At its prompt, with the answers to these lines still to give. */
function guestAtWork(): Dialogue {
  const dialogue = new Dialogue(MEMORY);
  const { memory, vcpu } = dialogue.machine.parts;
  bootImage("multiboot", memory, vcpu, {
    name: "guest",
    image,
    commandLine: "",
    address: 0,
    ramSize: MEMORY,
  });
  dialogue.until("> ");
  dialogue.type("fault\rmem\rhelp\rticks\rfault\rirq\rhalt\r");
  return dialogue;
}

function restored(file: Uint8Array): Dialogue {
  const snapshot = readSnapshot(file);
  const dialogue = new Dialogue(snapshot.memorySize, snapshot.guestTime);
  restoreMachine(dialogue.machine, snapshot);
  return dialogue;
}

describe("a save file", () => {
  const undisturbed = guestAtWork();
  undisturbed.end();

  it.each([1, 2, 3, 4])("taken in the middle (after %i steps) goes on to the same output", steps => {
    const first = guestAtWork();
    for (let step = 0; step < steps; step++) first.machine.step();
    expect(undisturbed.output.length).toBeGreaterThan(first.output.length);
    const file = saveMachine(first.machine);
    const second = restored(file);
    second.end();
    expect(first.output + second.output).toBe(undisturbed.output);
    expect(second.machine.parts.time.clock.now()).toBe(undisturbed.machine.parts.time.clock.now());
    // Saving disturbs nobody.
    first.end();
    expect(first.output).toBe(undisturbed.output);
  });

  it("goes on in a new process, by the command line", () => {
    const first = guestAtWork();
    for (let step = 0; step < 3; step++) first.machine.step();
    const file = join(folder, "middle.save");
    writeFileSync(file, saveMachine(first.machine));
    const words = ["--import", "tsx", "sandbox/cli/sandbox.ts", "--restore", file, "--virtual-time"];
    const { stdout, status } = spawnSync(process.execPath, words, { encoding: "latin1", input: "" });
    expect(status).toBe(0);
    expect(first.output + stdout).toBe(undisturbed.output);
  });

  it("is the same when it is saved again at once", () => {
    const first = guestAtWork();
    for (let step = 0; step < 3; step++) first.machine.step();
    const file = saveMachine(first.machine);
    expect(saveMachine(restored(file).machine)).toEqual(file);
  });

  it("holds the pages that are not empty, and no others", () => {
    const { pages, pageBytes } = readSnapshot(saveMachine(guestAtWork().machine));
    expect(pageBytes.length).toBe(4096 * pages.reduce((sum, [, count]) => sum + count, 0));
    expect(pageBytes.length).toBeLessThan(MEMORY / 16);
  });
});

describe("a save file of a guest that talks to a network", () => {
  const network = {
    backend: (clock: Clock) => new UserNetwork({ clock, host: new MemorySockets({ later: setImmediate }) }),
    mac: MAC,
    transport: "mmio",
  } as const;

  /** At its prompt with a lease, and frames to send and to take in the commands that it has yet to read. */
  function guestOnNetwork(): Dialogue {
    const dialogue = bootGuest("", { network });
    dialogue.until("\n> ");
    dialogue.type("ping 10.0.2.2 3\rnet\rping 10.0.2.99 1\rirq\rhalt\r");
    return dialogue;
  }

  const undisturbed = guestOnNetwork();
  undisturbed.end();

  it("talks indeed", () => {
    expect(undisturbed.output).toContain("3 sent, 3 received");
    expect(undisturbed.output).toContain("1 sent, 0 received");
  });

  it.each([2, 5, 13])("goes on in a new process to the same output (after %i steps)", steps => {
    const first = guestOnNetwork();
    for (let step = 0; step < steps; step++) expect(first.machine.step().kind).toBe("ready");
    expect(undisturbed.output.length).toBeGreaterThan(first.output.length);
    const file = join(folder, `network-${steps}.save`);
    writeFileSync(file, saveMachine(first.machine));
    const words = ["--import", "tsx", "sandbox/guest/restore-program.ts", file];
    const { stdout, stderr } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(stderr).toBe("");
    const { output, end, time } = JSON.parse(stdout);
    expect(first.output + output).toBe(undisturbed.output);
    expect(end).toEqual(undisturbed.end());
    expect(time).toBe(undisturbed.machine.parts.time.clock.now());
  });

  /** The leases and neighbours of the network behind the card. */
  const memoryOf = ({ machine }: Dialogue) => machine.parts.cards.network!.backend.save!();

  it("keeps the network's own memory, through a capture too", () => {
    const first = guestOnNetwork();
    const snapshot = readSnapshot(saveMachine(first.machine));
    const captured = {
      ...network,
      backend: (clock: Clock) => new Capture({ backend: network.backend(clock), clock, sink() {} }),
    };
    for (const options of [network, captured]) {
      const second = new Dialogue(snapshot.memorySize, snapshot.guestTime, { network: options });
      expect(memoryOf(second)).toMatchObject({ leases: [], neighbours: [] });
      restoreMachine(second.machine, snapshot);
      expect(memoryOf(second)).toEqual(memoryOf(first));
      expect(memoryOf(second)).toMatchObject({ leases: [{ mac: MAC }], neighbours: [[0x0a00_020f, MAC]] });
    }
  });

  it("goes on with a network that has no memory of its own", () => {
    const first = guestOnNetwork();
    const snapshot = readSnapshot(saveMachine(first.machine));
    const deaf = { ...network, backend: { send() {}, onFrame: null } };
    const second = new Dialogue(snapshot.memorySize, snapshot.guestTime, { network: deaf });
    restoreMachine(second.machine, snapshot);
    expect(second.until("received")).toContain("3 sent, 0 received");
  });

  it.each([
    [
      "without a card",
      undefined,
      /the network card 52:54:00:12:34:56 over virtio-mmio, and it now has none$/,
    ],
    [
      "with a card of another address",
      { ...network, mac: "52:54:00:12:34:57" },
      /now has .*:57 over virtio-mmio$/,
    ],
    ["with the card in a PCI slot", { ...network, transport: "pci" as const }, /now has .* in a PCI slot$/],
  ])("is refused %s, and that machine stays as it is", (_what, changed, sentence) => {
    const snapshot = readSnapshot(saveMachine(guestOnNetwork().machine));
    const options = changed ? { network: changed } : {};
    const { machine } = new Dialogue(snapshot.memorySize, snapshot.guestTime, options);
    const before = saveMachine(machine);
    expect(() => restoreMachine(machine, snapshot)).toThrow(SnapshotError);
    expect(() => restoreMachine(machine, snapshot)).toThrow(sentence);
    expect(saveMachine(machine)).toEqual(before);
  });
});

describe("a save file that cannot be used is refused with a sentence", () => {
  const file = saveMachine(guestAtWork().machine);
  const changed = (at: number, xor: number) => {
    const copy = file.slice();
    copy[at]! ^= xor;
    return copy;
  };

  it.each([
    ["another file", image, /no save file of vmexit/],
    ["an empty file", new Uint8Array(0), /no save file of vmexit/],
    ["one in text mode", Uint8Array.from([...file.subarray(0, 6), ...file.subarray(7)]), /no save file/],
    ["one that ends in its head", file.subarray(0, 14), /cut short/],
    ["one that ends in its description", file.subarray(0, 1000), /cut short/],
    ["one without its last byte", file.subarray(0, -1), /damaged or cut short/],
    ["one with a bit changed in a page", changed(file.length - 5000, 1), /damaged or cut short/],
    ["one with a bit changed in its description", changed(100, 4), /damaged or cut short/],
    ["a newer one", changed(8, SNAPSHOT_VERSION ^ 9), /version 9, newer than 3/],
    ["an older one", changed(8, SNAPSHOT_VERSION ^ 1), /version 1, older than 3/],
  ])("%s", (_what, bytes, sentence) => {
    expect(() => readSnapshot(bytes)).toThrow(SnapshotError);
    expect(() => readSnapshot(bytes)).toThrow(sentence);
  });

  it("and a machine of another size stays as it is", () => {
    const other = new Dialogue(2 * MEMORY);
    const before = saveMachine(other.machine);
    expect(() => restoreMachine(other.machine, readSnapshot(file))).toThrow(/was saved with 16777216 bytes/);
    expect(saveMachine(other.machine)).toEqual(before);
  });

  it("by the command line, with code 2", () => {
    const path = join(folder, "short.save");
    writeFileSync(path, file.subarray(0, 5000));
    const words = ["--import", "tsx", "sandbox/cli/sandbox.ts", "--restore", path];
    const { stderr, status } = spawnSync(process.execPath, words, { encoding: "utf8" });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^.*the save file is .*cut short.*\n$/);
  });
});

it("CRC-32 is the one of the standard, and zlib's where Node has it", () => {
  const check = new TextEncoder().encode("123456789");
  expect(crc32(check)).toBe(0xcbf4_3926);
  if ("crc32" in zlib) expect(crc32(image)).toBe((zlib.crc32 as (bytes: Uint8Array) => number)(image));
});
