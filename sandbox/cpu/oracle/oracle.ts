/**
 * `npm run oracle record | replay [group] [engine] | fuzz [seconds] [group] [seed] | report [json]`
 *
 * Compares the software processor with real ones. See README.md.
 */
import { existsSync } from "node:fs";
import { requires } from "../../../chapters/tools/requires.ts";
import type { EngineName, Hypervisor } from "../../kvm/api.ts";
import { openEngine } from "../../kvm/engines.ts";
import { probeKvm } from "../../kvm/probe.ts";
import { KNOWN_BOCHS } from "../system/guest/known-bochs.ts";
import { describeFailure } from "./describe.ts";
import { GROUPS, type Group } from "./forms.ts";
import { fuzz } from "./fuzz.ts";
import { KNOWN_QEMU } from "./known-qemu.ts";
import { record } from "./record.ts";
import { recordings80286Path, replay80286 } from "./recordings-80286.ts";
import type { FormResult } from "./replay.ts";
import { formatTable, recordedBochs, replayAll, replayImages, summary, tableAsJson } from "./report.ts";
import { secondOpinion } from "./second-opinion.ts";
import { Silicon, SiliconError } from "./silicon.ts";
import { runInQemu, withoutRf } from "./third-opinion.ts";

const USAGE = `npm run oracle record            record the vectors anew on this machine's processor
npm run oracle replay [group]    replay all recorded vectors (groups: ${GROUPS.join(" ")} 80286)
npm run oracle fuzz [seconds]    compare fresh random cases with this machine's processor (default: 60)
npm run oracle report [json]     the table, form by form`;

class UsageError extends Error {
  override readonly name = "UsageError";
}

const isGroup = (word: string): word is Group => (GROUPS as readonly string[]).includes(word);

function groupsOf(words: readonly string[]): readonly Group[] {
  const unknown = words.find(word => !isGroup(word) && word !== "80286");
  if (unknown) throw new UsageError(`there is no group "${unknown}"; groups: ${GROUPS.join(", ")}, 80286`);
  const groups = words.filter(isGroup);
  return words.length === 0 ? GROUPS : groups;
}

async function replay(words: readonly string[]): Promise<number> {
  const engine: EngineName = words.includes("kvm") ? "kvm" : "soft";
  const names = words.filter(word => word !== "kvm" && word !== "soft");
  const groups = groupsOf(names);
  const hypervisor = await openEngine(engine);
  const results: FormResult[] = replayAll(hypervisor, groups);
  for (const { form, firstFailure } of results) {
    if (firstFailure) console.log(`${describeFailure(form, firstFailure)}\n`);
  }
  if (names.length === 0 || names.includes("80286")) results.push(...with80286(hypervisor, true));
  console.log(summary(results));
  return results.some(result => result.failed > 0) ? 1 : 0;
}

function with80286(hypervisor: Hypervisor, show: boolean): FormResult[] {
  if (!existsSync(recordings80286Path())) {
    console.error(`80286: left out, ${recordings80286Path()} is not there`);
    return [];
  }
  return replay80286(hypervisor, ({ text }) => {
    if (show) console.log(`${text}\n`);
  });
}

async function withKvm(soft: Hypervisor): Promise<FormResult[]> {
  const probe = probeKvm();
  if (!probe.available) {
    console.error(`kvm: left out, ${probe.problem}`);
    return [];
  }
  console.error(
    `kvm: real mode and ring 0 without paging${probe.emulated ? "; this KVM has no processor below it, 32-bit paging is left to the images" : ""}`,
  );
  return secondOpinion(soft, await openEngine("kvm"), () => {}, { wanted: 3 });
}

function withQemu(): FormResult[] {
  const qemu = requires("qemu");
  if (qemu.available)
    return replayImages(
      "QEMU TCG",
      runInQemu,
      KNOWN_QEMU,
      ["protection", "virtual8086", "paging", "debug"],
      withoutRf,
    );
  console.error(`QEMU: left out, ${qemu.reason}`);
  return [];
}

async function main([command = "help", ...words]: readonly string[]): Promise<number> {
  switch (command) {
    case "record": {
      const silicon = new Silicon();
      await record(silicon, line => console.log(line));
      silicon.close();
      return 0;
    }
    case "replay":
      return replay(words);
    case "fuzz": {
      const numbers = words.map(Number).filter(Number.isFinite);
      const groups = groupsOf(words.filter(word => !Number.isFinite(Number(word))));
      const seed = numbers[1] ?? Date.now() >>> 0;
      const silicon = new Silicon();
      const result = await fuzz(silicon, await openEngine("soft"), numbers[0] ?? 60, {
        seed,
        groups,
        tell: text => console.log(`${text}\n`),
      });
      silicon.close();
      console.log(
        `seed ${seed}: ${result.cases} cases and ${result.programs} programs compared, ` +
          `${result.failures.length} differences, ${result.explained} explained`,
      );
      return result.failures.length > 0 ? 1 : 0;
    }
    case "report": {
      const hypervisor = await openEngine("soft");
      const results = [
        ...replayAll(hypervisor),
        ...with80286(hypervisor, false),
        ...(await withKvm(hypervisor)),
        ...replayImages("Bochs 2.7", recordedBochs, KNOWN_BOCHS, [
          "protection",
          "limits",
          "virtual8086",
          "paging",
          "debug",
        ]),
        ...withQemu(),
      ];
      console.log(words.includes("json") ? tableAsJson(results) : formatTable(results));
      return results.some(result => result.failed > 0) ? 1 : 0;
    }
    case "help":
      console.log(USAGE);
      return 0;
    default:
      throw new UsageError(`"${command}" is no word of the oracle\n${USAGE}`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UsageError || error instanceof SiliconError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
