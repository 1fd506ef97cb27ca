import { afterEach, describe, expect, it, vi } from "vitest";

describe("the C library", () => {
  const { platform, arch } = process;
  afterEach(() => {
    Object.defineProperty(process, "platform", { value: platform });
    Object.defineProperty(process, "arch", { value: arch });
    vi.doUnmock("node:module");
    vi.resetModules();
  });

  it.each([
    ["darwin", "arm64"],
    ["linux", "arm64"],
    ["win32", "x64"],
  ])("is not asked for on %s %s: importing works, opening says what to do", async (platform, arch) => {
    Object.defineProperty(process, "platform", { value: platform });
    Object.defineProperty(process, "arch", { value: arch });
    vi.resetModules();
    const { openKvm } = await import("./hypervisor.ts");
    expect(openKvm).toThrow(
      `open /dev/kvm: this is ${platform} on ${arch}. KVM is part of Linux and this engine speaks x86-64; use the soft engine here`,
    );
    const { probeKvm } = await import("../probe.ts");
    expect(probeKvm()).toMatchObject({ available: false, problem: expect.stringContaining(platform) });
  });

  it.skipIf(platform !== "linux" || arch !== "x64")(
    "names the remedy where koffi is not installed",
    async () => {
      vi.doMock("node:module", () => ({
        createRequire: () => () => {
          throw new Error("Cannot find module 'koffi'\nRequire stack: …");
        },
      }));
      vi.resetModules();
      const { openKvm } = await import("./hypervisor.ts");
      expect(openKvm).toThrow(
        /^load koffi: calling C functions is not possible here \(Cannot find module 'koffi'\)\. Run `npm ci`/,
      );
    },
  );
});
