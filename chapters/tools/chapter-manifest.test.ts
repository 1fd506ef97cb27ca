import { describe, expect, it } from "vitest";
import { parseChapter } from "./chapter-manifest.ts";

const GOOD = {
  number: 1,
  name: "01-minimal-vm",
  title: "A minimal virtual machine",
  guests: [
    { name: "add", source: "guest/add.asm", image: "guest/add.bin", needs: ["real-mode"], does: "adds" },
  ],
  fetched: [],
  given: [],
  tasks: [
    {
      id: "loop",
      title: "The loop",
      file: "vmm.ts",
      regions: ["exercise-loop"],
      points: 2,
      stars: 1,
      requires: [],
      heading: "The loop",
      anchor: "the-loop",
      write: "write the loop",
      hints: ["a", "b", "c"],
    },
  ],
  mistakes: [
    {
      id: "oops",
      title: "Oops",
      file: "vmm.ts",
      find: "a",
      replace: "",
      caughtBy: "loop › ends",
      says: "ends",
    },
  ],
};

it("a good manifest comes out as it went in", () => expect(parseChapter(GOOD)).toEqual(GOOD));

describe("a bad manifest is refused with the place and the reason", () => {
  const task = GOOD.tasks[0]!;
  const bad: [problem: string, change: object, message: string][] = [
    ["a field is missing", { title: undefined }, "chapter.json: title is missing"],
    ["a field is unknown", { titel: "x" }, "chapter.json: titel is unknown; known are"],
    ["the number is another", { number: 2 }, "chapter.json: number is 2, but the name is “01-minimal-vm”"],
    ["a list is none", { tasks: {} }, "chapter.json: tasks is no list"],
    ["an entry is no object", { tasks: ["loop"] }, "chapter.json: tasks[0] is no object"],
    [
      "points are no number",
      { tasks: [{ ...task, points: "2" }] },
      "tasks[0].points is no whole number from 1 on",
    ],
    ["there are four stars", { tasks: [{ ...task, stars: 4 }] }, "tasks[0].stars are 1, 2 or 3"],
    ["a hint is missing", { tasks: [{ ...task, hints: ["a", "b"] }] }, "tasks[0].hints are three"],
    [
      "a region is no exercise",
      { tasks: [{ ...task, regions: ["loop"] }] },
      "exercises are called “exercise-…”",
    ],
    [
      "a task is there twice",
      { tasks: [task, { ...task, regions: ["exercise-b"] }] },
      "tasks[1].id “loop” is there twice",
    ],
    [
      "a region has two tasks",
      { tasks: [task, { ...task, id: "b" }] },
      "vmm.ts#exercise-loop, which is of task “loop”",
    ],
    [
      "a prerequisite is none",
      { tasks: [{ ...task, requires: ["map"] }] },
      "“map”, which is no earlier task",
    ],
    [
      "a need is unknown",
      { guests: [{ ...GOOD.guests[0], needs: ["avx"] }] },
      "guests[0].needs[0] is “avx”, none of real-mode",
    ],
    [
      "an image is elsewhere",
      { guests: [{ ...GOOD.guests[0], image: "../x" }] },
      "should be a path in guest/",
    ],
    [
      "a mistake has no test",
      { mistakes: [{ ...GOOD.mistakes[0], caughtBy: "map › x" }] },
      "is no “task id › test name”",
    ],
  ];
  for (const [problem, change, message] of bad) {
    it(problem, () => expect(() => parseChapter({ ...GOOD, ...change })).toThrow(message));
  }

  it("is no object at all", () => expect(() => parseChapter(null)).toThrow("chapter.json: is no object"));
});
