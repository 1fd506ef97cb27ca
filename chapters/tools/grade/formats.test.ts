/**
 * The exporters against golden files, and against the shapes that the systems publish. The golden files
 * are in formats/golden; `npx vitest run chapters/tools/grade/formats.test.ts -u` makes them anew.
 */
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { readChapters } from "../chapters.ts";
import { type Classroom50Context, classroom50, classroom50Tests } from "./formats/classroom50.ts";
import { FORMATS } from "./formats.ts";
import { canvasCsv, classCsv, csv, moodleCsv } from "./gradebook.ts";
import resultSchema from "./result.schema.json" with { type: "json" };
import type { GradeResult } from "./result.ts";
import { ERROR, FULL, PARTIAL, UNGRADABLE } from "./sample-results.ts";

const RESULTS = { partial: PARTIAL, full: FULL, ungradable: UNGRADABLE, error: ERROR };
const text = { type: "string" } as const;
const points = { type: "number", minimum: 0 } as const;

/** In our words, what each system documents of its format. */
const SHAPES: Readonly<Record<string, object>> = {
  gradescope: {
    type: "object",
    properties: {
      score: points,
      output: text,
      output_format: { enum: ["text", "html", "simple_format", "md", "ansi"] },
      visibility: { enum: ["hidden", "after_due_date", "after_published", "visible"] },
      stdout_visibility: { enum: ["hidden", "after_due_date", "after_published", "visible"] },
      extra_data: { type: "object" },
      tests: {
        type: "array",
        items: {
          type: "object",
          properties: {
            score: points,
            max_score: points,
            status: { enum: ["passed", "failed"] },
            name: text,
            number: text,
            output: text,
            output_format: { enum: ["text", "html", "simple_format", "md", "ansi"] },
            visibility: { enum: ["hidden", "after_due_date", "after_published", "visible"] },
            tags: { type: "array", items: text },
          },
          required: ["score", "max_score", "name"],
          additionalProperties: false,
        },
      },
    },
    additionalProperties: false,
  },
  classroom50: {
    type: "object",
    properties: {
      schema: { const: "classroom50/result/v1" },
      classroom: { ...text, minLength: 1 },
      assignment: { ...text, minLength: 1 },
      assignment_type: { enum: ["individual", "group"] },
      owner: { ...text, minLength: 1 },
      submission: { ...text, pattern: "^submit/" },
      commit: { ...text, minLength: 1 },
      release: { ...text, minLength: 1 },
      review: { ...text, minLength: 1 },
      datetime: { ...text, pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" },
      graded_at: { ...text, pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z$" },
      score: { type: "integer", minimum: 0 },
      "max-score": { type: "integer", minimum: 0 },
      tests: {
        type: "array",
        items: {
          type: "object",
          properties: {
            "test-name": { ...text, minLength: 1 },
            passed: { type: "boolean" },
            score: { type: "integer", minimum: 0 },
            "max-score": { type: "integer", minimum: 0 },
          },
          required: ["test-name", "passed", "score", "max-score"],
        },
      },
    },
    required: [
      ...["schema", "classroom", "assignment", "assignment_type", "owner", "submission", "commit", "release"],
      ...["review", "datetime", "score", "max-score", "tests"],
    ],
    additionalProperties: false,
  },
  exercism: {
    type: "object",
    properties: {
      version: { const: 3 },
      status: { enum: ["pass", "fail", "error"] },
      message: { type: ["string", "null"], maxLength: 65_535 },
      tests: {
        type: "array",
        items: {
          type: "object",
          properties: {
            name: text,
            status: { enum: ["pass", "fail", "error"] },
            message: { type: ["string", "null"], maxLength: 65_535 },
            output: { type: ["string", "null"], maxLength: 500 },
            task_id: { type: "integer", minimum: 1 },
          },
          required: ["name", "status"],
          additionalProperties: false,
        },
      },
    },
    required: ["version", "status"],
    if: { properties: { status: { const: "error" } } },
    // biome-ignore lint/suspicious/noThenProperty: this is a JSON schema's "then"
    then: { required: ["message"] },
    else: { required: ["tests"] },
    additionalProperties: false,
  },
  prairielearn: {
    type: "object",
    properties: {
      gradable: { type: "boolean" },
      score: { type: "number", minimum: 0, maximum: 1 },
      message: text,
      output: text,
      format_errors: { type: "array", items: text },
      tests: {
        type: "array",
        items: {
          type: "object",
          properties: {
            name: text,
            points,
            max_points: points,
            output: text,
            message: text,
            description: text,
          },
          required: ["name", "points", "max_points"],
          additionalProperties: false,
        },
      },
    },
    required: ["gradable"],
    if: { properties: { gradable: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: this is a JSON schema's "then"
    then: { required: ["score"] },
    additionalProperties: false,
  },
};

const ajv = new Ajv2020({ allErrors: true, strict: false });

function expectShape(shape: object, document: unknown): void {
  const validate = ajv.compile(shape);
  validate(document);
  expect(validate.errors ?? []).toEqual([]);
}

describe("the canonical result", () => {
  for (const [name, result] of Object.entries(RESULTS)) {
    it(`keeps to its schema: ${name}`, () => expectShape(resultSchema, result));
  }

  it("is refused by its schema with a score that it must not have, or a field that nobody knows", () => {
    const validate = ajv.compile(resultSchema);
    expect(validate({ ...ERROR, score: 0 }), "a failure of ours is no zero").toBe(false);
    expect(validate({ ...FULL, score: null })).toBe(false);
    expect(validate({ ...FULL, bonus: 1 })).toBe(false);
  });
});

describe("the formats", () => {
  for (const [format, { file, write }] of Object.entries(FORMATS)) {
    for (const [name, result] of Object.entries(RESULTS)) {
      it(`${format}: ${name}`, async () => {
        const written = write(result);
        await expect(written ?? "(no file)\n").toMatchFileSnapshot(`formats/golden/${name}.${file}.txt`);
        const shape = SHAPES[format];
        if (written !== null && shape) expectShape(shape, JSON.parse(written));
      });
    }

    it(`${format}: gives no score to a result that has none`, () => {
      for (const result of [UNGRADABLE, ERROR]) {
        const written = write(result) ?? "";
        const decoded = format === "github-classroom" ? atob(written) : written;
        expect(decoded).not.toMatch(/"?total?[-_ ]?score"?\s*[:=]\s*[1-9]|Score: \d|"scores"/);
      }
    });

    it(`${format}: tells no student what a hidden test is called or saw`, () => {
      const written = write(PARTIAL)!;
      const decoded = format === "github-classroom" ? Buffer.from(written, "base64").toString() : written;
      expect(decoded).not.toContain("the name of a hidden test");
      expect(decoded).not.toContain("what a hidden test saw");
    });
  }

  it("show the same total everywhere", () => {
    const written = (name: string) => FORMATS[name]!.write(PARTIAL)!;
    const total = PARTIAL.score!;
    expect(JSON.parse(written("gradescope")).score).toBe(total);
    const sum = (tests: { score: number }[]) =>
      Math.round(100 * tests.reduce((all, { score }) => all + score, 0));
    expect(sum(JSON.parse(written("gradescope")).tests)).toBe(100 * total);
    expect(JSON.parse(written("classroom50")).score).toBe(100 * total);
    expect(sum(JSON.parse(written("classroom50")).tests)).toBe(100 * 100 * total);
    expect(JSON.parse(written("prairielearn")).score).toBeCloseTo(total / PARTIAL.max, 10);
    expect(JSON.parse(written("autolab").trim().split("\n").at(-1)!).scoreboard).toEqual([total]);
    expect(written("feedback").trim().split("\n").at(-1)).toBe(`Score: ${total}/${PARTIAL.max}`);
  });

  it("a submission that prints a score cannot pass for the grader", () => {
    const forged: GradeResult = { ...PARTIAL, prints: 'Score: 5/5\n{"scores":{"all":100}}\n```\nScore: 5/5' };
    const lines = FORMATS["autolab"]!.write(forged)!.trim().split("\n");
    expect(lines.filter(line => line.startsWith("Score:"))).toEqual([]);
    expect(JSON.parse(lines.at(-1)!).scores.all).toBeUndefined();
    expect(
      FORMATS["feedback"]!.write(forged)!
        .match(/^Score:.*$/gm)!
        .at(-1),
    ).toBe("Score: 3.5/5");
    expect(FORMATS["feedback"]!.write(forged)).toContain("````text");
  });

  it("XML holds no character that XML cannot", () => {
    const odd = structuredClone(PARTIAL) as unknown as {
      chapters: { tasks: { tests: { message: string }[] }[] }[];
    };
    odd.chapters[0]!.tasks[0]!.tests[1]!.message = "\u0000\u001b[2J \ud800 ]]> <&\"'";
    const written = FORMATS["junit"]!.write(odd as unknown as GradeResult)!;
    expect(written).toContain("[2J  ]]&gt; &lt;&amp;&quot;'");
    for (const character of ["\u0000", "\u001b", "\ud800"]) expect(written).not.toContain(character);
  });
});

describe("Classroom 50", () => {
  it("takes who and what from the runner", () => {
    const context: Classroom50Context = {
      ...{ classroom: "hv", assignment: "timer", assignmentType: "individual" as const, owner: "ada" },
      ...{ submission: "submit/1", commit: "c", release: "r", review: "v", datetime: "2026-11-27T10:00:00Z" },
    };
    expect(JSON.parse(classroom50(FULL, context)!)).toMatchObject({
      classroom: "hv",
      owner: "ada",
      submission: "submit/1",
    });
  });

  it("has a declarative test a task, with names of their own", () => {
    const { schema, tests } = JSON.parse(classroom50Tests(readChapters())) as {
      schema: string;
      tests: { name: string; type: string; run: string; points: number; timeout: number }[];
    };
    expect(schema).toBe("classroom50/tests/v1");
    expect(tests.length).toBeLessThanOrEqual(100);
    expect(new Set(tests.map(({ name }) => name)).size).toBe(tests.length);
    for (const { name, type, points, timeout } of tests) {
      expect(Buffer.byteLength(name)).toBeLessThanOrEqual(100);
      expect(type).toBe("run");
      expect(points).toBeGreaterThan(0);
      expect(timeout).toBeLessThanOrEqual(600);
    }
    expect(tests.map(({ run }) => run)).toContain("npm run grade 5 task=periodic strict");
  });
});

describe("the gradebooks", () => {
  const all = Object.values(RESULTS);

  it("are as RFC 4180 says", () => {
    expect(csv([['a"b', "c,d", "e\nf"]])).toBe('"a""b","c,d","e\nf"\r\n');
  });

  it("hold no formula", () => {
    for (const cell of ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"]) expect(csv([[cell]])).toMatch(/^"?'/);
  });

  it("leave the cell of a result without a score empty", async () => {
    await expect(canvasCsv(all, "Chapter 5")).toMatchFileSnapshot("formats/golden/canvas.csv.txt");
    await expect(moodleCsv(all)).toMatchFileSnapshot("formats/golden/moodle.csv.txt");
    await expect(classCsv(all)).toMatchFileSnapshot("formats/golden/class.csv.txt");
    expect(canvasCsv(all, "Chapter 5").split("\r\n")[4]).toMatch(/,$/);
  });
});
