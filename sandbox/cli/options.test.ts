import { describe, expect, it } from "vitest";
import { LOOPBACK } from "../net/addresses.ts";
import { readOptions } from "./options.ts";
import { UsageError } from "./usage-error.ts";

describe("the sandbox's command line", () => {
  it("without a word boots the embedded guest in 128 MiB", () => {
    expect(readOptions([])).toMatchObject({ command: "guest", memorySize: 128 << 20, engine: undefined });
  });

  it("takes --kernel for run", () => {
    const options = readOptions(["--kernel", "vmlinuz", "--initrd", "disk.gz", "--append", "quiet single"]);
    expect(options).toMatchObject({
      command: "run",
      image: "vmlinuz",
      initrd: "disk.gz",
      append: "quiet single",
    });
  });

  it("takes numbers in decimal and hexadecimal", () => {
    const options = readOptions(["run", "boot.bin", "--address", "0x7c00", "--memory", "64"]);
    expect(options).toMatchObject({ address: 0x7c00, memorySize: 64 << 20 });
  });

  it("restores with an engine and kind of time of its own", () => {
    const options = readOptions(["--restore", "a.save", "--virtual-time", "--save", "b.save"]);
    expect(options).toMatchObject({
      command: "restore",
      image: "a.save",
      isVirtualTime: true,
      saveFile: "b.save",
    });
  });

  it("has a network without privileges unless told otherwise", () => {
    expect(readOptions([]).network).toEqual({ kind: "user", forwards: [], capture: undefined });
  });

  it("takes disks, a network, forwarded ports and a capture", () => {
    const words = ["linux", "--disk", "a.img,snapshot", "--disk", "b.img", "--forward", "8080:80"];
    const options = readOptions([...words, "--forward", "udp:5353:53", "--capture", "run.pcapng"]);
    expect(options.disks).toEqual([
      { path: "a.img", mode: "snapshot" },
      { path: "b.img", mode: "write" },
    ]);
    expect(options.network).toEqual({
      kind: "user",
      forwards: [
        { protocol: "tcp", host: { address: LOOPBACK, port: 8080 }, guest: { port: 80 } },
        { protocol: "udp", host: { address: LOOPBACK, port: 5353 }, guest: { port: 53 } },
      ],
      capture: "run.pcapng",
    });
    expect(readOptions(["--net", "tap:tap0"]).network.kind).toBe("tap:tap0");
  });

  it.each([
    [["--disk", "a.img,fast"], /,snapshot or ,readonly, not ",fast"/],
    [["--disk", ""], /name of a raw disk image/],
    [["--net", "bridge"], /user, tap, tap:NAME or none, not "bridge"/],
    [["--net", "tap:a-name-that-is-too-long"], /at most 15 characters/],
    [["--net", "none", "--forward", "80:80"], /--forward is for --net user/],
    [["--net", "none", "--capture", "a"], /there are none/],
    [["--forward", "80"], /HOST_PORT:GUEST_PORT.*not "80"/],
    [["--forward", "0:80"], /--forward takes a whole number from 1/],
    [["--forward", "80:1", "--forward", "80:2"], /tcp port 80 of this host stands twice/],
    [["--transport", "usb"], /pci or mmio, not "usb"/],
    [["--flavour", "686"], /goes with linux/],
    [["linux", "--flavour", "amd64"], /686 or 686-pae, not "amd64"/],
    [["--bogus"], /Unknown option '--bogus'/],
    [["fly"], /there is no command "fly"/],
    [["run"], /run what\?/],
    [["run", "a", "b"], /"b" is one too many/],
    [["linux", "a"], /linux takes no "a"/],
    [["linux", "--initrd", "a"], /brings its own/],
    [["linux", "--kernel", "a"], /leave "linux" out/],
    [["--initrd", "a"], /goes with a kernel/],
    [["--memory", "0"], /--memory takes a whole number from 1 to 3072, not "0"/],
    [["--memory", "12x"], /not "12x"/],
    [["--memory"], /--memory/],
    [["--address", "0xa0000"], /--address takes/],
    [["--engine", "bochs"], /soft or kvm, not "bochs"/],
    [["--engine", "kvm", "--virtual-time"], /counts instructions/],
    [["--restore", "a", "--memory", "64"], /leave --memory out/],
    [["--restore", "a", "linux"], /leave "linux" out/],
  ])("refuses %j with a sentence", (words, sentence) => {
    expect(() => readOptions(words)).toThrow(UsageError);
    expect(() => readOptions(words)).toThrow(sentence);
  });
});
