import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Tool } from "./requires.ts";

/** A fresh copy of the module, as it looks for a tool only once. */
async function requires(tool: Tool) {
  vi.resetModules();
  return (await import("./requires.ts")).requires(tool);
}

beforeEach(() => void vi.stubEnv("PATH", "/nonexistent"));
afterEach(() => void vi.unstubAllEnvs());

it("a missing program skips, and says which", async () => {
  vi.stubEnv("CI", "");
  const reason = "no qemu-system-i386";
  const expected = { available: false, reason, options: { skip: true, meta: { skipReason: reason } } };
  expect(await requires("qemu")).toEqual(expected);
});

it("a program that is there does not", async () => {
  vi.unstubAllEnvs();
  vi.stubEnv("PATH", `${process.execPath.replace(/\/node$/, "")}:/usr/bin:/bin`);
  vi.stubEnv("CI", "");
  const { available, reason, options } = await requires("nasm");
  expect({ available, skip: options.skip === true }).toEqual({
    available: reason === "",
    skip: reason !== "",
  });
});

it("with CI=true a missing program is a failure that names the remedy", async () => {
  vi.stubEnv("CI", "true");
  await expect(requires("nasm")).rejects.toThrow(
    "no nasm: with CI=true this is a failure; .ci/run sees to it",
  );
  await expect(requires("gcc32")).rejects.toThrow("no gcc -m32");
});

it("with CI=true what no package brings stays a skip", async () => {
  vi.stubEnv("CI", "true");
  expect((await requires("kvm")).reason).toMatch(/^(no \/dev\/kvm)?$/);
  expect((await requires("vectors")).reason).toMatch(/^(no \.\.\/shared\/vectors)?$/);
});
