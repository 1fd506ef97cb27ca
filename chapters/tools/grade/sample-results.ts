/** Four results that every exporter is tried with: partial, full, ungradable, and a failure of the grader. */
import { type GradeResult, SCHEMA } from "./result.ts";

const COMMON = {
  schema: SCHEMA,
  late: null,
  prints: "",
  grader: {
    isolation: "uid",
    node: "20.20.2",
    seed: "5eed",
    suite: "0123456789abcdef",
    tests: { public: 4, hidden: 1, seeded: 1 },
  },
  time: { gradedAt: "2026-11-27T10:20:30.456Z", seconds: 0.4 },
} as const;

const submission = (id: string, name: string, userId: string) => ({
  id,
  name,
  userId,
  digest: "0123456789abcdef".repeat(4),
  files: ["05-pit/pit.ts"],
});

export const PARTIAL: GradeResult = {
  ...COMMON,
  submission: submission("doejane_4711", "=HYPERLINK(doejane)", "4711"),
  status: "graded",
  reason: "",
  score: 3.5,
  max: 5,
  prints: "hello",
  late: {
    due: "2026-11-26T23:59:00Z",
    handedIn: "2026-11-27T08:00:00Z",
    daysLate: 1,
    factor: 1,
    scoreBefore: 3.5,
  },
  chapters: [
    {
      number: 5,
      name: "05-pit",
      title: "The timer",
      state: "handed-in",
      reason: "",
      score: 3.5,
      max: 5,
      tasks: [
        {
          id: "time",
          title: "Turn nanoseconds into pulses",
          score: 1.5,
          max: 2,
          waitsFor: [],
          tests: [
            { name: "counts 21 pulses in 17,600 ns", kind: "public", outcome: "passed", message: "" },
            {
              name: "counts <exactly> after hours",
              kind: "public",
              outcome: "failed",
              message: "105/88 MHz is no decimal number\n  expected   got\n≠ 42         41",
            },
            { name: "the name of a hidden test", kind: "hidden", outcome: "passed", message: "" },
            { name: "turns any time into pulses", kind: "seeded", outcome: "passed", message: "" },
          ],
        },
        {
          id: "irq",
          title: "Interrupt on time",
          score: 2,
          max: 3,
          waitsFor: ["time"],
          tests: [
            { name: "interrupts with every period", kind: "public", outcome: "passed", message: "" },
            { name: "raises an edge", kind: "public", outcome: "passed", message: "" },
            {
              name: "the name of a hidden test that failed",
              kind: "hidden",
              outcome: "limit",
              message: "what a hidden test saw",
            },
          ],
        },
      ],
    },
  ],
};

export const FULL: GradeResult = {
  ...COMMON,
  submission: submission("vmexit-lab-ada", "ada", ""),
  status: "graded",
  reason: "",
  score: 2,
  max: 2,
  chapters: [
    {
      number: 5,
      name: "05-pit",
      title: "The timer",
      state: "handed-in",
      reason: "",
      score: 2,
      max: 2,
      tasks: [
        {
          id: "time",
          title: "Turn nanoseconds into pulses",
          score: 2,
          max: 2,
          waitsFor: [],
          tests: [{ name: "counts 21 pulses in 17,600 ns", kind: "public", outcome: "passed", message: "" }],
        },
      ],
    },
  ],
};

export const UNGRADABLE: GradeResult = {
  ...COMMON,
  submission: { ...submission("Jane-Doe_12", "Jane Doe", "12"), files: [] },
  status: "ungradable",
  reason: "the archive is broken (invalid zip data)",
  score: null,
  max: 5,
  chapters: [],
};

export const ERROR: GradeResult = {
  ...COMMON,
  submission: submission("someone", "someone", ""),
  status: "error",
  reason: "a submission's process did not start: spawn ENOMEM",
  score: null,
  max: 5,
  chapters: [],
};
