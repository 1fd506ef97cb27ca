/** Copies are found however they are dressed, and what people wrote on their own is not. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { readChapters } from "../../chapters.ts";
import { layerWithMistake, starterLayer } from "../../layer-variants.ts";
import { Random } from "../../random.ts";
import { checkBench, setUpBench } from "../bench.ts";
import { sourcesIn } from "../class-folder.ts";
import { gradeSubmission } from "../grading.ts";
import { chooseIsolation } from "../isolation.ts";
import { ownSubmission, type Submission, submissionOf } from "../submission.ts";
import { blocksOf } from "./blocks.ts";
import { type Comparison, compare, LEAST_SHARE } from "./compare.ts";
import {
  copied,
  type Disguise,
  disguised,
  otherNumbers,
  reformatted,
  renamed,
  reordered,
} from "./disguise.ts";
import { GRAM, gramHashes, ownRuns, WINDOW, winnow } from "./fingerprints.ts";
import { givenHashes } from "./given.ts";
import { honestSubmissions } from "./honest.ts";
import { reportPage } from "./page.ts";
import { similar } from "./similar.ts";
import { tokensOf } from "./tokens.ts";

const chapters = readChapters().filter(({ number }) => number === 6);
const [chapter] = chapters as [(typeof chapters)[0]];
const given = givenHashes(chapters);
const honest = honestSubmissions(chapter);
const [ada, grace] = honest as [Submission, Submission];
const reference = ownSubmission(chapters, "solutions");
const starter = (id: string) => submissionOf(id, starterLayer(chapter));
const names = ({ pairs }: Comparison) => pairs.map(({ ids }) => ids.join(" "));

const folder = mkdtempSync(join(tmpdir(), "vmexit-similar-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("tokens", () => {
  const kinds = (text: string) => [...tokensOf(text).kinds];

  it.each([
    ["names, comments, layout and braces", "if (a) { b(c); } // why", "if (x)\n\n  y(z)"],
    ["numbers in any base, strings in any quotes", "f(0x10, 'a', 1n)", 'f(16, "b", 0b1)'],
    ["const, let and var; private or not", "let a = this.#b", "const c = this.d"],
    ["a template without a hole is a string", "f(`a`)", "f('a')"],
  ])("are the same for %s", (_what, one, other) => expect(kinds(one)).toEqual(kinds(other)));

  it("tell a regular expression from a division, and a template's brace from a block's", () => {
    const texts = (text: string) => {
      const { starts, ends } = tokensOf(text);
      return [...starts].map((start, at) => text.slice(start, ends[at]));
    };
    expect(texts("a / b / c")).toEqual(["a", "/", "b", "/", "c"]);
    expect(texts("x = /b{2}/g.test(c)")).toEqual(["x", "=", "/b{2}/g", ".", "test", "(", "c", ")"]);
    const [open, shut] = ["`$" + "{", "}`"];
    expect(texts(`${open}{ b: ${open}c${shut} }${shut} + e`)).toEqual([
      open,
      "b",
      ":",
      open,
      "c",
      shut,
      shut,
      "+",
      "e",
    ]);
  });

  it("are read from any text, however broken", () => {
    for (const text of ["`${", "/*", "'", "}}}", "\u0000\ud800", "/[", "@@@ #", ""])
      expect(() => tokensOf(text)).not.toThrow();
  });
});

describe("winnowing", () => {
  const random = new Random("winnowing");
  const row = (length: number) =>
    Array.from({ length }, () => random.pick(["a", "1", "+", "(", ")", "return", "if", "=", "?", "."])).join(
      " ",
    );
  const prints = (text: string) => {
    const tokens = tokensOf(text);
    return winnow(tokens, [{ start: 0, end: tokens.kinds.length }]);
  };

  it("leaves a fingerprint of every row of GRAM + WINDOW - 1 tokens, wherever it stands", () => {
    for (let round = 0; round < 200; round++) {
      const shared = row(GRAM + WINDOW - 1);
      const one = prints(`${row(random.below(30))} ${shared} ${row(random.below(30))}`);
      const other = prints(`${row(random.below(30))} ${shared} ${row(random.below(30))}`);
      expect(
        [...one.keys()].some(hash => other.has(hash)),
        shared,
      ).toBe(true);
    }
  });

  it("keeps at least one hash of each window, and far from all", () => {
    const tokens = tokensOf(row(400));
    const places = [...winnow(tokens, [{ start: 0, end: 400 }]).values()].flat().sort((a, b) => a - b);
    const gaps = places.slice(1).map((place, at) => place - places[at]!);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(WINDOW);
    expect(places.length).toBeLessThan(gramHashes(tokens).length / 2);
  });

  it("sees nothing in what is given, and nothing across it", () => {
    const own = "if (a > 1) return b + c * 2 - d[3] ? 4 : 5";
    const gift = row(40);
    const set = new Set(gramHashes(tokensOf(gift)));
    expect(ownRuns(tokensOf(gift), set)).toEqual([]);
    const tokens = tokensOf(`${own} ${gift} ${own}`);
    const runs = ownRuns(tokens, set);
    const length = tokensOf(own).kinds.length;
    expect(runs).toEqual([
      { start: 0, end: length },
      { start: length + 40, end: 2 * length + 40 },
    ]);
    for (const places of winnow(tokens, runs).values()) expect(places.length).toBe(2);
  });
});

describe("a copy is found", () => {
  const ways: [string, Disguise[]][] = [
    ["unchanged", []],
    ["with other names", [renamed]],
    ["with its functions in another order", [reordered]],
    ["with other comments and another layout", [reformatted]],
    ["with numbers in another base", [otherNumbers]],
    ["in all of these at once", [reordered, renamed, otherNumbers, reformatted]],
  ];
  it.each(ways)("%s", (_way, disguises) => {
    const copy = disguised(ada, "copy", ...disguises);
    if (disguises.length > 0)
      expect(copy.files.get("06-serial/uart.ts")).not.toBe(ada.files.get("06-serial/uart.ts"));
    const found = compare([...honest, copy], [reference], given);
    expect(names(found)).toEqual(["ada copy"]);
    expect(found.pairs[0]!.share).toBeGreaterThan(0.9);
    expect(found.pairs[0]!.files.map(({ file }) => file)).toContain("06-serial/uart.ts");
  });

  it("of some exercises among one's own", () => {
    const half = copied(ada, grace, "half", [
      "exercise-registers",
      "exercise-identification",
      "exercise-fifo-control",
    ]);
    const found = compare([ada, half], [], given);
    expect(names(found)).toEqual(["ada half"]);
    expect(found.pairs[0]!.files.map(({ file }) => file)).toEqual(["06-serial/uart.ts"]);
    expect(found.pairs[0]!.share).toBeGreaterThan(0.4);
    expect(found.pairs[0]!.share).toBeLessThan(0.9);
  });

  it("of the reference, with any of the chapter's typical mistakes in it", () => {
    const mutants = chapter.mistakes.map(mistake =>
      submissionOf(mistake.id, new Map([...reference.files, ...layerWithMistake(chapter, mistake)])),
    );
    for (const mutant of mutants)
      expect(names(compare([mutant], [reference], given)), mutant.id).toEqual([`${mutant.id} reference`]);
  });
});

describe("no copy is", () => {
  it("what several people wrote on their own, who earn every point", async () => {
    const bench = await checkBench(await setUpBench(chapters, chooseIsolation()), "term");
    try {
      for (const submission of honest) {
        const { score, max } = await gradeSubmission(bench, submission, "term");
        expect(score, submission.id).toBe(max);
      }
    } finally {
      bench.boxes.close();
    }
    const anything = compare(honest, [reference], given, 0.001);
    expect(anything.pairs.map(({ share }) => share).filter(share => share > LEAST_SHARE / 3)).toEqual([]);
    expect(compare(honest, [reference], given).pairs).toEqual([]);
  });

  it("a starter that nobody wrote in, nor one in other clothes", () => {
    const starters = [
      starter("one"),
      starter("two"),
      disguised(starter("three"), "three", renamed, reformatted),
    ];
    expect(compare([...starters, ...honest], [reference], given, 0.001).pairs).toEqual([]);
  });

  it("a chapter of which the hints were followed", () => {
    const hinted = new Map(
      [...reference.files.keys()].map(
        file =>
          [
            file,
            chapter.tasks
              .filter(task => file.endsWith(`/${task.file}`))
              .map(task => task.hints.at(-1))
              .join("\n"),
          ] as const,
      ),
    );
    expect(
      compare([submissionOf("one", hinted), submissionOf("two", hinted)], [], given, 0.001).pairs,
    ).toEqual([]);
  });

  it("what most of a class have", () => {
    const taught = (id: string) => copied(ada, grace, id, ["exercise-identification"]);
    const unlike = Array.from({ length: 5 }, (_, at) => starter(`starter${at}`));
    const few = compare(
      [taught("a"), taught("b"), ...unlike, starter("x"), starter("y"), starter("z")],
      [],
      given,
    );
    expect(names(few)).toEqual(["a b"]);
    const many = compare([..."abcdefgh"].map(taught).concat(unlike), [], given);
    expect(many.pairs).toEqual([]);
    expect(many.common.get("06-serial/uart.ts")).toBeGreaterThan(20);
  });
});

describe("rows", () => {
  it("are the same tokens on both sides, and no token is in two", () => {
    const copy = disguised(ada, "copy", reordered, renamed, reformatted);
    for (const { files } of compare([ada, copy], [], given).pairs) {
      for (const { blocks, prints } of files) {
        const [one, other] = prints.map(({ tokens }) => tokens.kinds) as [Uint16Array, Uint16Array];
        const taken = [new Set<number>(), new Set<number>()];
        for (const { a, b, length } of blocks) {
          expect(one.slice(a, a + length)).toEqual(other.slice(b, b + length));
          for (let at = 0; at < length; at++) {
            expect(taken[0]!.has(a + at) || taken[1]!.has(b + at)).toBe(false);
            taken[0]!.add(a + at);
            taken[1]!.add(b + at);
          }
        }
        expect(blocks).toEqual(blocksOf(...prints));
      }
    }
  });
});

describe("the report", () => {
  const write = (id: string, { files }: Submission) => {
    for (const [file, text] of files) {
      const path = join(folder, "lab", id, file);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
  };

  it("is a table, a page and a file; what cannot be read is named", async () => {
    for (const submission of honest) write(`lab-${submission.id}`, submission);
    write("lab-eve", disguised(ada, "eve", renamed, reordered));
    mkdirSync(join(folder, "lab/lab-lost"));
    writeFileSync(join(folder, "lab/broken.zip"), "<html>");
    const lab = join(folder, "lab");
    const lines = await similar(chapters, sourcesIn(lab), { folder: lab, out: undefined, least: undefined });
    expect(lines[0]).toMatch(/^ *\d+ % {2}lab-ada {2}lab-eve {2}06-serial\/\w+\.ts \d+ %/);
    expect(lines).toContain(
      "4 submissions compared, 2 not; 1 pair shares at least 30 % of what was written in a file",
    );
    expect(lines.filter(line => line.startsWith("not compared")).length).toBe(2);
    const document = JSON.parse(readFileSync(join(folder, "lab-similar/similar.json"), "utf8"));
    expect(document).toMatchObject({
      schema: "vmexit/similar/v1",
      submissions: 4,
      found: 1,
      method: { gram: GRAM, window: WINDOW },
    });
    const [{ files }] = document.pairs;
    for (const { rows } of files)
      for (const {
        lines: [one, other],
      } of rows)
        for (const [first, last] of [one, other]) expect(last).toBeGreaterThanOrEqual(first);
    const page = readFileSync(join(folder, "lab-similar/similar.html"), "utf8");
    expect(page).toContain("<mark ");
    const targets = [...page.matchAll(/href="#([^"]+)"/g)].map(match => match[1]!);
    expect(targets.length).toBeGreaterThan(4);
    for (const target of targets) expect(page).toContain(`id="${target}"`);
  });

  it("runs nothing that a submission has in it, and shows all of it as text", () => {
    const bad = '</pre><script>alert("x")</script><img src=x onerror=alert(1)>';
    const evil = (id: string) =>
      submissionOf(
        id,
        new Map([["06-serial/uart.ts", `${ada.files.get("06-serial/uart.ts")}\nconst s = '${bad}';`]]),
      );
    const page = reportPage("A <class>", compare([evil("one"), evil('t"><b>wo')], [], given), []);
    expect(page).not.toMatch(/<script|<img|<b>|<class>/);
    expect(page).toContain("&lt;script&gt;alert(&quot;x&quot;)");
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });
});
