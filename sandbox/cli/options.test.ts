import { describe, expect, it } from "vitest";
import { readOptions, UsageError } from "./options.ts";

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

  it.each([
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
