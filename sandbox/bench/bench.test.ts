import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { contest, median, spread } from "./paired.ts";
import { table } from "./result.ts";

const BENCH = fileURLToPath(new URL("bench.ts", import.meta.url));
const bench = (...words: string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", BENCH, ...words], { encoding: "utf8" });

describe("the statistics", () => {
  it("take the middle sample, or the middle of the two", () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });

  it("give the spread as the quartiles' distance over the median", () => {
    expect(spread([10, 10, 10])).toBe(0);
    expect(spread([1, 2, 3, 4, 5])).toBeCloseTo((4 - 2) / 3);
  });
});

describe("a contest", () => {
  it("warms up, runs all contestants in each round and turns their order", async () => {
    const order: string[] = [];
    const speeds = { ours: [9, 1, 2, 30], c: [9, 2, 4, 10] };
    const measure = (who: keyof typeof speeds) => () => {
      order.push(who);
      return speeds[who].shift()!;
    };
    const row = await contest({
      name: "x",
      unit: "things/s",
      rounds: 3,
      ours: measure("ours"),
      peers: { c: measure("c") },
    });
    expect(order).toEqual(["ours", "c", "ours", "c", "c", "ours", "ours", "c"]);
    // Medians of their own for ours and the peer; the ratio is that of the middle round.
    expect(row).toMatchObject({ ours: 2, peers: { c: 4 }, ratio: { c: 0.5 } });
    const machine = { processor: "p", cores: 1, system: "s", node: "n" };
    expect(table({ bench: "b", machine, rows: [row], notes: ["why"] })).toMatch(
      /x\n {2}ours +2\.00 things\/s .*\n {2}c +4\.00 .* ours is 50 % of it\n\nnote: why$/,
    );
  });
});

describe("npm run bench", () => {
  it("lists every benchmark with its sentence", () => {
    const { status, stdout } = bench();
    expect(status).toBe(0);
    for (const file of readdirSync(fileURLToPath(new URL(".", import.meta.url)))) {
      if (file.endsWith(".bench.ts"))
        expect(stdout).toMatch(new RegExp(`^ {2}${file.slice(0, -9)} +\\S+`, "m"));
    }
  });

  it("answers a wrong word with one line and exit code 2", () => {
    const { status, stderr } = bench("nothing");
    expect(status).toBe(2);
    expect(stderr).toMatch(/^bench: there is no “nothing”; the benchmarks are .*engine.*\n$/);
    expect(bench("engine", "fast").stderr).toMatch(/there is no “fast”/);
  });
});
