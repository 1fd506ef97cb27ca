import { expect, it } from "vitest";
import * as hot from "./hot.ts";
import { rehearsedForms } from "./rehearsal.ts";

const NO_INSTRUCTIONS = ["UNDECODED", "GENERAL", "GENERAL_ENDS", "CAREFUL", "FIRST_MEMORY"];

it("shows the loop every hot form", () => {
  const seen = rehearsedForms();
  const missing = Object.entries(hot).filter(
    ([name, form]) => !NO_INSTRUCTIONS.includes(name) && !seen.has(form),
  );
  expect(missing).toEqual([]);
});
