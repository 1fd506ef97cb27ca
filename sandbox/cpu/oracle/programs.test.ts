import { describe, expect, it } from "vitest";
import { openSoft } from "../../kvm/soft/soft.ts";
import { CaseMachine } from "./machine.ts";
import { PROGRAM_KINDS, randomProgram } from "./programs.ts";

const LENGTH = 2000;

describe.each(PROGRAM_KINDS)("a random program of %s", kind => {
  it("ends alike in one run and in single steps", () => {
    const whole = new CaseMachine(openSoft(), "int3", 20_000);
    const stepped = new CaseMachine(openSoft(), "int3", 1);
    for (let seed = 1; seed <= 4; seed++) {
      const { input } = randomProgram(seed, kind, LENGTH);
      const expected = whole.run(input);
      expect(expected).not.toHaveProperty("problem");
      expect(stepped.run(input, 20_000)).toEqual(expected);
    }
  });
});
