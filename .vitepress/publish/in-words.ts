/** What stands for a component where the book is plain Markdown: a caption, or the same rows as in its table. */
import { type CourseTimes, courseTimes } from "../../chapters/tools/course/course-times.ts";
import { HELP } from "../../sandbox/cli/help.ts";
import { range } from "../components/reference/addresses.ts";
import { layerFacts } from "../content/layers.ts";
import { type PcFacts, pcFacts } from "../content/pc-facts.ts";
import { PORT_NOTES } from "../content/port-registers.ts";
import { type FigureWords, plainText } from "./figure-words.ts";

type Writer = (attribute: (name: string) => string | undefined) => string;

const course = once(courseTimes);
const pc = once(pcFacts);
const layers = once(layerFacts);

const WRITERS: Readonly<Record<string, Writer>> = {
  BeforeAfter: attribute => beforeAfter(attribute(":rows") ?? ""),
  CourseWeeks: attribute => courseWeeks(course()[attribute("plan") as "six" | "twelve"]),
  CourseSections: () => courseSections(course().sections),
  LayerAdds: attribute => layerAdds(Number(attribute(":chapter"))),
  PortMap: () => portMap(pc().ports),
  SandboxHelp: () => `\`\`\`text\n${HELP.trim()}\n\`\`\``,
  VectorTable: () => vectorTable(pc().vectors),
};

/** Components that have nothing to say on paper: what they stand beside says it, or only a browser can run them. */
export const SILENT: ReadonlySet<string> = new Set([
  "ExerciseList",
  "ExitLoop",
  "MachineMap",
  "SandboxWindow",
]);

/**
 * `attributes` as they stand in the tag; `figures` has what the built page's figures show. Throws for a component of
 * which it does not know what it shows.
 */
export function inWords(name: string, attributes: string, figures?: FigureWords): string {
  const attribute = (wanted: string) => {
    const [, , double, single] =
      new RegExp(`(^|\\s)${wanted}=(?:"([^"]*)"|'([^']*)')`).exec(attributes) ?? [];
    return double ?? single;
  };
  const writer = WRITERS[name];
  if (writer) return writer(attribute);
  const caption = attribute("caption");
  if (caption) return figure(caption, figures);
  if (SILENT.has(name)) return "";
  throw new Error(
    `<${name}> has no caption, and .vitepress/publish/in-words.ts does not know how to write it out`,
  );
}

function figure(caption: string, figures: FigureWords | undefined): string {
  const shown = figures?.get(plainText(caption));
  if (figures && !shown) throw new Error(`the built page has no figure with the caption “${caption}”`);
  return `*Figure: ${caption}*${shown ? `\n\nIn words: ${shown}` : ""}`;
}

/** A Markdown table. */
function table(heads: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(heads), `|${"---|".repeat(heads.length)}`, ...rows.map(line)].join("\n");
}

function beforeAfter(rows: string): string {
  const cells = [...rows.matchAll(/\["((?:[^"\\]|\\.)*)",\s*"((?:[^"\\]|\\.)*)"\]/g)];
  return table(
    ["Before", "After"],
    cells.map(([, before, after]) => [before!, after!]),
  );
}

function courseWeeks(plan: CourseTimes["six"]): string {
  return table(
    ["Week", "Sections", "Time"],
    plan.map(({ topics, hours }, at) => [at + 1, topics.join("; "), hours]),
  );
}

function courseSections(sections: CourseTimes["sections"]): string {
  return table(
    ["Chapter", "Section", "Reading", "Writing"],
    sections.map(({ chapter, heading, reading, writing }) => [chapter, heading, `${reading} min`, writing]),
  );
}

function layerAdds(chapter: number): string {
  const layer = layers().find(({ number }) => number === chapter);
  if (!layer) throw new Error(`there is no layer of chapter ${chapter}`);
  const files = table(
    ["File", "Lines", "What it is"],
    layer.files.map(({ path, lines, about }) => [`\`${path}\``, lines, about]),
  );
  return `**What this chapter adds to the machine**\n\n${files}`;
}

function portMap(ports: PcFacts["ports"]): string {
  return table(
    ["Ports", "Device", "Registers, in order", "File"],
    ports.map(port => {
      const { registers = "", file = "" } = PORT_NOTES[port.name] ?? {};
      return [`\`${range(port, 3)}\``, port.name, registers, file && `\`${file}\``];
    }),
  );
}

function vectorTable(vectors: PcFacts["vectors"]): string {
  return table(
    ["Vector", "Name", "Kind", "Counts as"],
    vectors.map(({ vector, mnemonic, name, kind, errorCode, double }) => [
      vector,
      `\`${mnemonic}\` ${name}`,
      errorCode ? `${kind}, with an error code` : kind,
      double === "benign" ? "" : double,
    ]),
  );
}

function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
