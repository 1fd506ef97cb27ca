/**
 * JUnit's XML, as CI servers read it: a suite a task, its points as properties. A test that failed is a
 * <failure>; one that never ran, or a submission without a score, is an <error>.
 */
import { type GradedCase, type GradeResult, pointsText, studentView, type TaskGrade } from "../result.ts";

export function junit(result: GradeResult): string {
  const { chapters, score, max, reason, status } = studentView(result);
  const cases = chapters.flatMap(({ tasks }) => tasks.flatMap(({ tests }) => tests));
  const suites = chapters.flatMap(chapter => chapter.tasks.map(task => suite(chapter.name, task)));
  if (score === null) {
    suites.push(
      `  <testsuite name="grading" tests="1" failures="0" errors="1">`,
      `    <testcase classname="grading" name="${status}">`,
      `      <error message="${escaped(reason)}"/>`,
      "    </testcase>",
      "  </testsuite>",
    );
  }
  const errors = cases.filter(isError).length + (score === null ? 1 : 0);
  const counts = `tests="${cases.length + (score === null ? 1 : 0)}" failures="${cases.filter(isFailure).length}" errors="${errors}"`;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="${escaped(`vmexit ${score === null ? status : `${pointsText(score)}/${pointsText(max)}`}`)}" ${counts}>`,
    ...suites,
    "</testsuites>",
    "",
  ].join("\n");
}

const isError = ({ outcome }: GradedCase) => outcome === "not-run";
const isFailure = ({ outcome }: GradedCase) => outcome === "failed" || outcome === "limit";

function suite(chapter: string, { id, score, max, tests }: TaskGrade): string {
  const counts = `tests="${tests.length}" failures="${tests.filter(isFailure).length}" errors="${tests.filter(isError).length}"`;
  return [
    `  <testsuite name="${escaped(`${chapter}.${id}`)}" ${counts}>`,
    "    <properties>",
    `      <property name="points" value="${pointsText(score)}"/>`,
    `      <property name="max-points" value="${pointsText(max)}"/>`,
    "    </properties>",
    ...tests.map(test => testCase(`${chapter}.${id}`, test)),
    "  </testsuite>",
  ].join("\n");
}

function testCase(suiteName: string, test: GradedCase): string {
  const head = `    <testcase classname="${escaped(suiteName)}" name="${escaped(test.name)}"`;
  if (test.outcome === "passed") return `${head}/>`;
  const kind = isError(test) ? "error" : "failure";
  const [first = ""] = test.message.split("\n");
  return [
    `${head}>`,
    `      <${kind} type="${test.outcome}" message="${escaped(first)}">${escaped(test.message)}</${kind}>`,
    "    </testcase>",
  ].join("\n");
}

/** Text for XML 1.0: what it cannot hold is left out. */
function escaped(text: string): string {
  const entities: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text
    .replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, "")
    .replace(/[&<>"]/g, character => entities[character]!)
    .replaceAll("\n", "&#10;");
}
