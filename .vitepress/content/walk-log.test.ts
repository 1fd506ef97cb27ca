import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseWalks } from "./walk-log.ts";

const output = (name: string) =>
  readFileSync(new URL(`../../docs/outputs/03-${name}.txt`, import.meta.url), "utf8");

it("reads the walks of a guest with their entries and their ends", () => {
  const [high, low, user] = parseWalks(output("paging"));
  expect(high).toEqual({
    linear: 0xc000_0004,
    to: "read",
    entries: [
      {
        dimension: undefined,
        name: "PDE",
        address: 0x1_0c00,
        value: 0x1_3023n,
        bits: "P R/W A",
        decision: "leads to a table",
      },
      {
        dimension: undefined,
        name: "PTE",
        address: 0x1_3000,
        value: 0x9063n,
        bits: "P R/W A D",
        decision: "maps the page",
      },
    ],
    end: "physical 0x0000_9004, in a page of 4 KiB",
  });
  expect(low!.linear).toBe(0x9004);
  expect(user!.end).toBe("#PF, error code 0x0005: protection violation, read, user");
});

it("reads an entry without a flag", () => {
  const entry = parseWalks(output("fault"))[1]!.entries[1];
  expect(entry).toMatchObject({ value: 0n, bits: "", decision: "not present" });
});

it("reads all references of a walk in two dimensions", () => {
  const [whole, cut] = parseWalks(output("nested"));
  expect(whole!.entries).toHaveLength(24);
  expect(whole!.entries.filter(({ dimension }) => dimension === "guest")).toHaveLength(4);
  expect(cut!.end).toContain("EPT violation");
});
