/** The formats that a result can be written in: pure functions of the canonical result. */
import { autolab } from "./formats/autolab.ts";
import { classroom50 } from "./formats/classroom50.ts";
import { exercism } from "./formats/exercism.ts";
import { feedback } from "./formats/feedback.ts";
import { githubClassroom } from "./formats/github-classroom.ts";
import { gradescope } from "./formats/gradescope.ts";
import { junit } from "./formats/junit.ts";
import { prairielearn } from "./formats/prairielearn.ts";
import type { GradeResult } from "./result.ts";

export interface Format {
  /** The name of its file. */
  readonly file: string;
  /** From the canonical result to the file's text; null where this result must not make a file. */
  readonly write: (result: GradeResult) => string | null;
}

export const FORMATS: Readonly<Record<string, Format>> = {
  gradescope: { file: "gradescope.json", write: gradescope },
  classroom50: { file: "classroom50.json", write: result => classroom50(result) },
  "github-classroom": { file: "github-classroom.txt", write: githubClassroom },
  junit: { file: "junit.xml", write: junit },
  exercism: { file: "exercism.json", write: exercism },
  prairielearn: { file: "prairielearn.json", write: prairielearn },
  autolab: { file: "autolab.txt", write: autolab },
  feedback: { file: "feedback.md", write: feedback },
};
