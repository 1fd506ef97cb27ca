import { expect, graded } from "../tools/suite.ts";
import chapter from "./chapter.json" with { type: "json" };
import { GUESTS } from "./guests.ts";
import type { subject as chapterSubject, TlbOperation } from "./subject.ts";

const { describe, it } = graded<typeof chapterSubject>(chapter);

const ENTRIES = 4096;
const SUPERVISOR_READ = 0;
const SUPERVISOR_WRITE = ENTRIES;
const USER_READ = 2 * ENTRIES;
const USER_WRITE = 3 * ENTRIES;
const TABLES = [SUPERVISOR_READ, SUPERVISOR_WRITE, USER_READ, USER_WRITE];
const MISS = -1;

const insert = (table: number, linear: number, hostPage: number, large = false): TlbOperation => ({
  do: "insert",
  table,
  linear,
  hostPage,
  large,
});
const lookup = (table: number, linear: number, size = 1): TlbOperation => ({
  do: "lookup",
  table,
  linear,
  size,
});
const flushPage = (linear: number): TlbOperation => ({ do: "flushPage", linear });

describe("tlb", () => {
  it("finds the byte in the host", async ({ subject }) => {
    const results = await subject.call("tlb", [
      insert(SUPERVISOR_READ, 0xc000_0123, 0x0007_9000),
      lookup(SUPERVISOR_READ, 0xc000_0000),
      lookup(SUPERVISOR_READ, 0xc000_0ffc, 4),
      lookup(SUPERVISOR_READ, 0xc000_1000),
    ]);
    expect(results.slice(1), "the first byte, the last four, and the next page: a miss").toEqual([
      0x0007_9000,
      0x0007_9ffc,
      MISS,
    ]);
  });

  it("tells pages with the same entry apart", async ({ subject }) => {
    const far = 0x0040_0000 + ENTRIES * 0x1000;
    const results = await subject.call("tlb", [
      insert(SUPERVISOR_READ, 0x0040_0000, 0x1_0000),
      lookup(SUPERVISOR_READ, far),
      insert(SUPERVISOR_READ, far, 0x2_0000),
      lookup(SUPERVISOR_READ, far),
      lookup(SUPERVISOR_READ, 0x0040_0000),
    ]);
    expect(results[1], "16 MiB apart, the same entry: only the tag tells them apart").toBe(MISS);
    expect(results[3]).toBe(0x2_0000);
    expect(results[4], "the newcomer took the place").toBe(MISS);
  });

  it("misses what crosses into the next page", async ({ subject }) => {
    const results = await subject.call("tlb", [
      insert(SUPERVISOR_READ, 0x0040_0000, 0x1_0000),
      lookup(SUPERVISOR_READ, 0x0040_0ffc, 4),
      lookup(SUPERVISOR_READ, 0x0040_0ffd, 4),
      lookup(SUPERVISOR_READ, 0x0040_0ffe, 2),
      lookup(SUPERVISOR_READ, 0x0040_0fff, 2),
    ]);
    expect(results.slice(1), "an access must lie in one page: its last byte may be anywhere else").toEqual([
      0x1_0ffc,
      MISS,
      0x1_0ffe,
      MISS,
    ]);
  });

  it("keeps the kinds of access apart", async ({ subject }) => {
    for (const table of TABLES) {
      const results = await subject.call("tlb", [
        insert(table, 0x0040_0000, 0x1_0000),
        ...TABLES.map(other => lookup(other, 0x0040_0000)),
      ]);
      expect(results.slice(1), "an entry is the permission").toEqual(
        TABLES.map(other => (other === table ? 0x1_0000 : MISS)),
      );
    }
  });

  it("forgets one page, in every table", async ({ subject }) => {
    const results = await subject.call("tlb", [
      ...TABLES.map(table => insert(table, 0x0040_0000, 0x1_0000)),
      insert(SUPERVISOR_READ, 0x0040_1000, 0x2_0000),
      flushPage(0x0040_0abc),
      ...TABLES.map(table => lookup(table, 0x0040_0000)),
      lookup(SUPERVISOR_READ, 0x0040_1000),
    ]);
    expect(results.slice(6, 10), "INVLPG forgets the page for reads and writes, kernel and user").toEqual([
      MISS,
      MISS,
      MISS,
      MISS,
    ]);
    expect(results[10], "its neighbour stays").toBe(0x2_0000);
  });

  it("forgets no other page in the same entry", async ({ subject }) => {
    const far = 0x0040_0000 + ENTRIES * 0x1000;
    const results = await subject.call("tlb", [
      insert(SUPERVISOR_READ, far, 0x2_0000),
      flushPage(0x0040_0000),
      lookup(SUPERVISOR_READ, far),
    ]);
    expect(results[2], "compare the tag before you empty the entry").toBe(0x2_0000);
  });

  it("shows the guest its old page until INVLPG", async ({ subject, show }) => {
    const { image, output } = GUESTS.find(({ name }) => name === "stale")!;
    const run = await subject.call("guest", image);
    show({ exits: run.exits.slice(-3) });
    expect(run.output).toBe(output);
  });

  it("lets the guest copy a page on the first write", async ({ subject, show }) => {
    const { image, output } = GUESTS.find(({ name }) => name === "copy-on-write")!;
    const run = await subject.call("guest", image);
    show({ exits: run.exits.slice(-3) });
    expect(run.output).toBe(output);
  });
});
