import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Complaint } from "../complaint.ts";
import { hanging, wrapped } from "../words.ts";
import { EDITION_FILE, readDueDates } from "./due.ts";
import { editorCall } from "./editor.ts";

describe("editorCall", () => {
  const call = (environment: Record<string, string>) => editorCall(environment, "a.ts", 12);

  it("tells each kind of editor the line in its own way", () => {
    expect(call({ EDITOR: "vim" })).toEqual({ program: "vim", args: ["+12", "a.ts"] });
    expect(call({ EDITOR: "/usr/bin/nano -w" })).toEqual({
      program: "/usr/bin/nano",
      args: ["-w", "+12", "a.ts"],
    });
    expect(call({ EDITOR: "hx" })).toEqual({ program: "hx", args: ["a.ts:12"] });
    expect(call({ EDITOR: "code --wait" })).toEqual({
      program: "code",
      args: ["--wait", "--goto", "a.ts:12"],
    });
    expect(call({ EDITOR: "ed" })).toEqual({ program: "ed", args: ["a.ts"] });
  });

  it("takes $VISUAL before $EDITOR, and nothing where there is nothing", () => {
    expect(call({ VISUAL: "vi", EDITOR: "nano" })?.program).toBe("vi");
    expect(call({ PATH: "/nowhere" })).toBeUndefined();
  });
});

describe("wrapped", () => {
  it("breaks between words, keeps the indentation, and never passes the width", () => {
    expect(wrapped("  one two three four", 10)).toEqual(["  one two", "  three", "  four"]);
    expect(wrapped("short", 10)).toEqual(["short"]);
    expect(wrapped("x".repeat(25), 10)).toEqual(["x".repeat(10), "x".repeat(10), "x".repeat(5)]);
  });

  it("hangs lines under the text behind a head", () => {
    expect(hanging("  do  ", "one two three", 13)).toEqual(["  do  one two", "      three"]);
    expect(hanging("  do  ", "one", 13)).toEqual(["  do  one"]);
  });
});

describe("due dates", () => {
  it("are an edition's, of the chapters that have one; the project has none", () => {
    const folder = mkdtempSync(join(tmpdir(), "vmexit-due-"));
    try {
      expect(readDueDates(folder).size).toBe(0);
      const chapters = [{ name: "04-interrupts", due: "2026-10-01" }, { name: "05-pit" }];
      writeFileSync(join(folder, EDITION_FILE), JSON.stringify({ chapters }));
      expect([...readDueDates(folder)]).toEqual([["04-interrupts", "2026-10-01"]]);
      writeFileSync(join(folder, EDITION_FILE), "{}");
      expect(() => readDueDates(folder)).toThrow(Complaint);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
