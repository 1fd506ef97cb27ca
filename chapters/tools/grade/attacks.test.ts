/**
 * One attack of each kind on the lowest level, and on the best of this machine with the first wall taken
 * away, so that those behind it are tried, too. The whole corpus, any level, and other versions of Node, by
 * the command: `npx -p node@24 npm run grade attacks isolation=uid`.
 */
import { describe, expect, it } from "vitest";
import { runAttacks } from "./attack-run.ts";
import { readAttacks } from "./attacks.ts";
import { chooseIsolation, type Level } from "./isolation.ts";

const JOBS = 2;

const kindOf = (name: string) => name.split("-")[0]!;
/** The first of each kind. */
const SAMPLE = [
  ...new Map([...readAttacks()].reverse().map(attack => [kindOf(attack.name), attack])).values(),
];

describe("the attack corpus", () => {
  it("has attacks of every kind", () => {
    const kinds = new Set(SAMPLE.map(({ name }) => kindOf(name)));
    for (const kind of [
      ...["realm", "code", "files", "process", "channel", "output", "network", "time", "memory", "answer"],
      "guest",
    ]) {
      expect(kinds).toContain(kind);
    }
    expect(readAttacks().length).toBeGreaterThanOrEqual(30);
  });

  it("gets nothing at the lowest level, where the language is the first of two walls", async () => {
    await expectNothing("node", false);
  }, 900_000);

  it("gets nothing at the best level, with the wall of the language taken away", async () => {
    await expectNothing(chooseIsolation().level, true);
  }, 900_000);
});

async function expectNothing(level: Level, isOpen: boolean): Promise<void> {
  const { rows, breaches } = await runAttacks(chooseIsolation("node", level), JOBS, isOpen, SAMPLE);
  const found = rows.filter(row => row.breaches.length > 0);
  expect(found.map(({ attack, behind, breaches }) => [attack.name, behind, ...breaches])).toEqual([]);
  expect(breaches).toEqual([]);
}
