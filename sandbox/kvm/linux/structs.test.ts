/** The C compiler and the kernel's own header have the last word on every number. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requires } from "../../../chapters/tools/requires.ts";
import { CAPABILITIES, REQUESTS } from "./ioctl.ts";
import * as tables from "./structs.ts";

const gcc = requires("gcc");
const header = existsSync("/usr/include/linux/kvm.h");
const reason = gcc.reason || (header ? "" : "no linux/kvm.h");

describe.skipIf(reason !== "")(`the tables of the KVM API${reason && ` (skipped: ${reason})`}`, () => {
  const structs: readonly tables.Struct[] = Object.values(tables);
  const expected = new Map<string, number>();
  for (const { type, size, offsets } of structs) {
    expected.set(`sizeof(${type})`, size);
    for (const [field, offset] of Object.entries(offsets)) {
      expected.set(`__builtin_offsetof(${type}, ${field})`, offset);
    }
  }
  for (const [name, number] of Object.entries({ ...REQUESTS, ...CAPABILITIES })) expected.set(name, number);

  it(`agree with linux/kvm.h in all ${expected.size} numbers`, () => {
    const printed = printedByC([...expected.keys()]);
    // A newer kernel may append to kvm_run, whose length the mapping tells; all else is fixed.
    const grown = `sizeof(${tables.KVM_RUN.type})`;
    expect(printed.get(grown)).toBeGreaterThanOrEqual(tables.KVM_RUN.size);
    printed.set(grown, tables.KVM_RUN.size);
    expect(Object.fromEntries(printed)).toEqual(Object.fromEntries(expected));
  });
});

function printedByC(expressions: readonly string[]): Map<string, number> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-structs-"));
  try {
    const lines = expressions.map(text => `printf("%llu\\n", (unsigned long long)(${text}));`);
    const source = `#include <stdio.h>\n#include <linux/kvm.h>\n#include <asm/sigcontext.h>\nint main(void) {\n${lines.join("\n")}\n}\n`;
    writeFileSync(join(folder, "print.c"), source);
    execFileSync("gcc", ["-o", join(folder, "print"), join(folder, "print.c")]);
    const numbers = execFileSync(join(folder, "print"), { encoding: "utf8" }).trim().split("\n");
    return new Map(expressions.map((text, index) => [text, Number(numbers[index])]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
