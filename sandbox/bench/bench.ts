/**
 * `npm run bench` lists the benchmarks, `npm run bench NAME` runs one, `npm run bench NAME 9` with so many
 * rounds, `npm run bench NAME json` prints its result as one JSON object. A benchmark is a file
 * NAME.bench.ts in this folder.
 */
import { readdirSync } from "node:fs";
import { type Bench, CannotMeasure, loadAverage, table } from "./result.ts";

const ENDING = ".bench.ts";

const names = readdirSync(new URL(".", import.meta.url))
  .filter(file => file.endsWith(ENDING))
  .map(file => file.slice(0, -ENDING.length))
  .sort();

const load = (name: string) => import(new URL(`${name}${ENDING}`, import.meta.url).href) as Promise<Bench>;

async function main(words: readonly string[]): Promise<number> {
  const json = words.includes("json");
  const rounds = words.find(word => /^[1-9]\d*$/.test(word));
  const [name, ...rest] = words.filter(word => word !== "json" && word !== rounds);
  if (name === undefined) {
    console.log("npm run bench NAME [ROUNDS] [json]\n");
    for (const bench of names) console.log(`  ${bench.padEnd(10)}${(await load(bench)).description}`);
    return 0;
  }
  const unknown = names.includes(name) ? rest[0] : name;
  if (unknown !== undefined) {
    console.error(
      `bench: there is no “${unknown}”; the benchmarks are ${names.join(", ")}, the words json and a number of rounds`,
    );
    return 2;
  }
  if (loadAverage() > 0.5) {
    console.error(`bench: the machine is busy (load ${loadAverage()}), so the figures will be too low`);
  }
  const result = await (await load(name)).run(rounds === undefined ? undefined : Number(rounds));
  console.log(json ? JSON.stringify(result) : table(result));
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof CannotMeasure)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
