/** All forms, by the file of vectors that they go into. */
import type { Form } from "./draft.ts";
import { controlForms } from "./forms/control.ts";
import { integerForms } from "./forms/integer.ts";
import { simdForms } from "./forms/simd.ts";
import { x87Forms } from "./forms/x87.ts";

export const GROUPS = ["integer", "control", "x87", "simd"] as const;
export type Group = (typeof GROUPS)[number];

export function formsOf(group: Group): Form[] {
  switch (group) {
    case "integer":
      return integerForms();
    case "control":
      return controlForms();
    case "x87":
      return x87Forms();
    case "simd":
      return simdForms();
  }
}
