import { describe, expect, it } from "vitest";
import { type KeptWork, keepWork, NOTHING, readWork, type WorkStorage } from "./kept-work.ts";

function storage(
  entries: Record<string, string> = {},
): WorkStorage & { readonly entries: Record<string, string> } {
  return {
    entries,
    getItem: key => entries[key] ?? null,
    setItem: (key, value) => void (entries[key] = value),
    removeItem: key => void delete entries[key],
  };
}

const WORK: KeptWork = { files: { "bus.ts": "export {};\n" }, passed: ["route"], hints: { route: 2 } };

describe("a learner's work in the browser's storage", () => {
  it("is read as it was kept, each chapter's apart", () => {
    const kept = storage();
    expect(keepWork(kept, "01-minimal-vm", WORK)).toBe(true);
    expect(readWork(kept, "01-minimal-vm")).toEqual(WORK);
    expect(readWork(kept, "02-real-mode")).toEqual(NOTHING);
  });

  it("leaves nothing behind where there is none", () => {
    const kept = storage();
    keepWork(kept, "01-minimal-vm", WORK);
    keepWork(kept, "01-minimal-vm", NOTHING);
    expect(kept.entries).toEqual({});
  });

  it.each(["", "7", "[]", '{"files":{"a.ts":7},"passed":"all","hints":null}'])(
    "what is not ours is no work: %s",
    text =>
      expect(readWork(storage({ "vmexit/solve/01-minimal-vm": text }), "01-minimal-vm")).toEqual(NOTHING),
  );

  it("says when the browser refuses", () => {
    const full: WorkStorage = {
      ...storage(),
      setItem() {
        throw new DOMException("full", "QuotaExceededError");
      },
    };
    expect(keepWork(full, "01-minimal-vm", WORK)).toBe(false);
    expect(keepWork(undefined, "01-minimal-vm", WORK)).toBe(false);
    expect(readWork(undefined, "01-minimal-vm")).toEqual(NOTHING);
  });
});
