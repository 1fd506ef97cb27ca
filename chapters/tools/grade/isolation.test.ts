import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { requires } from "../requires.ts";
import { chooseIsolation, HOLES, LEVELS, limited, nodeArguments, probe } from "./isolation.ts";

describe("the levels of isolation", () => {
  it("tell what gets through, and the README tells the same", () => {
    const text = readFileSync(join(import.meta.dirname, "README.md"), "utf8");
    for (const level of LEVELS) {
      expect(HOLES[level].length).toBeGreaterThan(0);
      for (const hole of HOLES[level]) expect(text).toContain(`- \`${level}\`: ${hole}`);
    }
  });

  it("refuse to sink below what is asked for", () => {
    const missing = LEVELS.find(level => probe(level) !== "");
    if (missing) expect(() => chooseIsolation(missing, missing)).toThrow(/so nothing is graded/);
    const { level } = chooseIsolation("node");
    expect(probe(level)).toBe("");
    expect(LEVELS.indexOf(chooseIsolation(level).level)).toBeGreaterThanOrEqual(LEVELS.indexOf(level));
  });

  it("use the flag that each version of Node has", () => {
    expect(nodeArguments("/box", false, "20.19.0")).toContain("--experimental-permission");
    expect(nodeArguments("/box", false, "24.1.0")).toContain("--permission");
    expect(nodeArguments("/box")).toContain("--allow-fs-read=/box/*");
  });

  it("leave no looping submission behind a grader that is killed", requires("setpriv").options, async () => {
    const { file, args } = limited("sh", ["-c", "while :; do :; done"]);
    const program = `
      const { spawn } = require("node:child_process");
      const child = spawn(${JSON.stringify(file)}, ${JSON.stringify(args)}, { detached: true, stdio: "ignore" });
      console.log(child.pid);
      setInterval(() => {}, 1000);
    `;
    const grader = spawn(process.execPath, ["-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const [said] = (await once(grader.stdout, "data")) as [Buffer];
    const pid = Number(said.toString());
    const isAlive = () =>
      existsSync(`/proc/${pid}/stat`) && !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ");
    try {
      await untilTrue(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").startsWith("sh\0-c\0while"));
      grader.kill("SIGKILL");
      await untilTrue(() => !isAlive());
    } finally {
      grader.kill("SIGKILL");
      if (isAlive()) process.kill(pid, "SIGKILL");
    }
  });
});

/** Fails by the test's own time limit. */
async function untilTrue(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise(resolve => setTimeout(resolve, 20));
}
