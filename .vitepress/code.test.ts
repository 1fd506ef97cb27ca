import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { createHighlighter, type ThemedToken } from "shiki";
import { createMarkdownRenderer } from "vitepress";
import { beforeAll, describe, expect, it } from "vitest";
import { copyExit, exitLine } from "../chapters/tools/exit-log.ts";
import type { Exit } from "../sandbox/kvm/api.ts";
import { codeThemes } from "./code-theme.ts";
import { parseExitLog } from "./content/exit-log.ts";
import { countWords, proseOf } from "./content/prose.ts";
import { exitColours, exitLogGrammar } from "./grammars/exit-log.ts";
import { hexdumpGrammar } from "./grammars/hexdump.ts";
import { vcpuDumpGrammar } from "./grammars/vcpu-dump.ts";
import { typesIn } from "./markdown/hover-types.ts";
import { lineBreaks } from "./markdown/line-breaks.ts";
import { seenInFile } from "./markdown/seen-in-file.ts";
import { sourceBlocks } from "./markdown/source-blocks.ts";
import { typedNames } from "./markdown/typed-names.ts";

const DOCS = join(import.meta.dirname, "../docs");

/** One exit of each reason; the type holds that none is forgotten. */
const EXITS: { readonly [Reason in Exit["reason"]]: Extract<Exit, { reason: Reason }> } = {
  IO: {
    reason: "IO",
    direction: "out",
    size: 1,
    port: 0x3f8,
    count: 3,
    data: new Uint8Array([0x48, 0x69, 0x0a]),
  },
  MMIO: {
    reason: "MMIO",
    address: 0xd_0004,
    isWrite: false,
    length: 4,
    data: new Uint8Array([0x2a, 0, 0, 0]),
  },
  HLT: { reason: "HLT" },
  IRQ_WINDOW_OPEN: { reason: "IRQ_WINDOW_OPEN" },
  DEBUG: { reason: "DEBUG", exception: 1, pc: 0x1000n, dr6: 0n, dr7: 0n },
  SHUTDOWN: { reason: "SHUTDOWN" },
  FAIL_ENTRY: { reason: "FAIL_ENTRY", hardwareReason: 0x8000_0021n },
  INTERNAL_ERROR: {
    reason: "INTERNAL_ERROR",
    suberror: 1,
    pc: 0x1000n,
    instruction: new Uint8Array([0x0f, 0x0b]),
    message: "no emulation for 0f 0b at 0x0000_1000",
  },
  INTR: { reason: "INTR", cause: "budget" },
  UNKNOWN: { reason: "UNKNOWN", code: 99, hardwareReason: 0n },
};
const LOG = Object.values(EXITS).map((exit, index) => exitLine(index + 1, copyExit(exit)));

describe("the grammars", () => {
  let scopes: (code: string, lang: string) => (readonly [text: string, scope: string])[][];
  beforeAll(async () => {
    const highlighter = await createHighlighter({
      themes: [codeThemes.dark, codeThemes.light],
      langs: [exitLogGrammar, hexdumpGrammar, vcpuDumpGrammar],
    });
    scopes = (code, lang) =>
      highlighter
        .codeToTokensBase(code, { lang: lang as "text", theme: codeThemes.dark, includeExplanation: true })
        .map(line => line.flatMap(innermostScopes));
  });

  it("give every exit of the API its colour, each reason once", () => {
    expect(Object.values(exitColours).flat().sort()).toEqual(Object.keys(EXITS).sort());
    for (const line of scopes(LOG.join("\n"), "exit-log")) {
      expect(line.map(([, scope]) => scope)).toContainEqual(expect.stringMatching(/^entity\.name\.exit\./));
    }
  });

  it("tell address, direction, size and text of an exit apart", () => {
    const [io] = scopes(LOG[0]!, "exit-log");
    expect(io).toEqual(
      expect.arrayContaining([
        ["IO", "entity.name.exit.io.vmexit"],
        ["out", "keyword.direction.vmexit"],
        ["0x03f8", "constant.numeric.hex.vmexit"],
        ["3×1 byte", "comment.vmexit"],
        ['"Hi\\n"', "string.quoted.vmexit"],
      ]),
    );
  });

  it("tell address, bytes and text of a hex dump apart", () => {
    const [line] = scopes("0000_1000  ba f8 03 00 d8  |.....|", "hexdump");
    expect(line).toEqual(
      expect.arrayContaining([
        ["0000_1000", "constant.numeric.address.vmexit"],
        ["00", "comment.vmexit"],
        ["|.....|", "string.unquoted.vmexit"],
      ]),
    );
  });

  it("mark what changed in a dump", () => {
    const [line] = scopes("     eax 0000_0034*  ebx 0000_0002", "vcpu-dump");
    expect(line).toContainEqual(["*", "markup.changed.vmexit"]);
    expect(line).toContainEqual(["ebx", "constant.language.register.vmexit"]);
  });
});

function innermostScopes({ explanation }: ThemedToken): (readonly [text: string, scope: string])[] {
  return (explanation ?? []).map(({ content, scopes }) => [content, scopes.at(-1)!.scopeName] as const);
}

describe("the themes", () => {
  it.each(Object.entries(codeThemes))(
    "%s: every colour has a contrast of 4.5 : 1 on its background",
    (_, theme) => {
      const background = luminance(theme.colors!["editor.background"]!);
      for (const { settings } of theme.settings!) {
        if (!settings.foreground) continue;
        const [dark, light] = [background, luminance(settings.foreground)].sort((a, b) => a - b) as [
          number,
          number,
        ];
        expect((light + 0.05) / (dark + 0.05), settings.foreground).toBeGreaterThanOrEqual(4.5);
      }
    },
  );
});

/** Relative luminance of "#rrggbb" (WCAG 2.1). */
function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5]
    .map(at => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(value => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

describe("an exit log read back", () => {
  it("says what was logged", () => {
    expect(parseExitLog(LOG.join("\n"))).toMatchObject([
      { number: 1, reason: "IO", direction: "out", address: "0x03f8", size: "3×1 byte", data: '"Hi\\n"' },
      {
        number: 2,
        reason: "MMIO",
        direction: "read",
        address: "0x000d_0004",
        size: "4 bytes",
        data: "2a 00 00 00",
      },
      { number: 3, reason: "HLT" },
      { number: 4, reason: "IRQ_WINDOW_OPEN" },
      { number: 5, reason: "DEBUG" },
      { number: 6, reason: "SHUTDOWN", note: "triple fault" },
      { number: 7, reason: "FAIL_ENTRY" },
      { number: 8, reason: "INTERNAL_ERROR" },
      { number: 9, reason: "INTR", note: "the run's budget is spent" },
      { number: 10, reason: "UNKNOWN" },
    ]);
  });

  it("finds the exits of every output in the book", () => {
    for (const file of readdirSync(join(DOCS, "outputs")).filter(name => name.endsWith(".txt"))) {
      const text = readFileSync(join(DOCS, "outputs", file), "utf8");
      expect(parseExitLog(text).length, file).toBe(text.split("\n").filter(line => /^#\d/.test(line)).length);
    }
  });
});

describe("prose", () => {
  it("is what a reader reads, without code, tables, components and link targets", () => {
    const page = [
      "---\ntitle: Not this\n---",
      "# One two",
      '<Predict question="not these words">\n\nthree\n\n</Predict>',
      "```ts\nnot(this);\n```",
      "<<< @/../not/this.ts#region{1,2}",
      "| not | this |",
      "[four five](./not-this.md), `six`.",
    ].join("\n\n");
    expect(proseOf(page)).not.toMatch(/not/i);
    expect(countWords(page)).toBe(6);
  });
});

/** A page's markdown as the site renders it. */
async function render(source: string): Promise<string> {
  const md = await createMarkdownRenderer(DOCS, {
    snippet: { stripRegionMarkers: "all" },
    codeTransformers: [seenInFile(), typedNames()],
    config: renderer => {
      sourceBlocks(renderer);
      lineBreaks(renderer);
    },
  });
  return md.renderAsync(source, { path: join(DOCS, "page.md"), relativePath: "page.md", cleanUrls: false });
}

describe("running text", () => {
  it("has a space where a line ends between two elements, and none that breaks between number and unit", async () => {
    expect(await render("*who?*\n`me`")).toMatch(/<em>who\?<\/em> <code[^>]*>me</);
    expect(await render("In chapter 5 a bit takes 87 µs, 4 bits more; 16 names.")).toContain(
      "In chapter\u00a05 a bit takes 87\u00a0µs, 4\u00a0bits more; 16 names.",
    );
    expect(await render("## Chapter 5")).toContain("Chapter 5");
  });

  it("keeps short code whole and breaks long paths behind their slashes", async () => {
    expect(await render("`npm run chapter 5`")).toContain('<code class="whole">npm run chapter 5</code>');
    const path = "chapters/04-interrupts/count-exits.ts";
    expect(await render(`\`${path}\``)).toContain(`<code>${path.replaceAll("/", "/<wbr>")}</code>`);
    const cell = await render("| a |\n|-|\n| `setup_page_tables` |");
    expect(cell).toContain("<code>setup_<wbr>page_<wbr>tables</code>");
  });
});

describe("an imported snippet", () => {
  it("stands under its file's path, without markers of the regions inside", async () => {
    const html = await render("<<< @/../solutions/01-minimal-vm/vmm.ts#run-guest");
    expect(html).toMatch(/class="file-bar">.*solutions\/01-minimal-vm\//);
    expect(html).toMatch(/lines \d+–\d+/);
    expect(html).toContain("goesOn");
    expect(html).not.toContain("region");
  });

  it("shows the types of its names where it is asked to", async () => {
    const html = await render("<<< @/../solutions/01-minimal-vm/vmm.ts#run-guest{ts twoslash}");
    expect(html).toContain("names show their types");
    const name = (text: string) =>
      new RegExp(`<span class="typed"[^>]*>(?:<span[^>]*>)?${text}<`).exec(html)![0];
    expect(name("runGuest")).toContain('tabindex="0"');
    expect(name("runGuest")).toContain(
      'data-type="function runGuest(vcpu: Vcpu, buses: Buses, options?: RunOptions): Exit"',
    );
    expect(name("runGuest")).toContain('data-says="Runs the guest and handles its exits until');
    expect(name("buses")).toContain('data-kind="parameter"');
    expect(html.match(/tabindex="0" data-roving/g)).toHaveLength(1);
    expect(html.replace(/<[^>]+>/g, "")).toContain("const exit = vcpu.run(budget);");
    expect(await render("<<< @/../solutions/01-minimal-vm/vmm.ts#run-guest")).not.toContain("typed");
  });

  it("that does not compile fails the build, with file and line", () => {
    const path = "solutions/01-minimal-vm/not-there.ts";
    const source = 'import type { Exit } from "../../sandbox/kvm/api.ts";\n\nexport const exit: Exit = 3;\n';
    expect(() => typesIn(path, source)).toThrow(
      `${path}:3:14: Type 'number' is not assignable to type 'Exit'`,
    );
  });

  it("has the colours that it has in its file, also inside of a class", async () => {
    const line = async (source: string) =>
      /<span class="line">.*?isCounting.*?boolean.*/.exec(await render(source))![0].replace(/> +/g, ">");
    const inFile = await line("<<< @/../solutions/05-pit/counter.ts");
    expect(await line("<<< @/../solutions/05-pit/counter.ts#advance")).toBe(inFile);
  });

  it("shows a binary file as a hex dump of its bytes", async () => {
    const html = await render("<<< @/../chapters/01-minimal-vm/guest/add.bin{hexdump}");
    expect(html.replace(/<[^>]+>/g, "")).toContain("0000_0000  ba f8 03 00 d8 04 30 ee  b0 0a ee f4");
    expect(html).toContain("12 bytes");
  });

  it("fails the build when the region is not there", async () => {
    await expect(render("<<< @/../solutions/01-minimal-vm/vmm.ts#no-such-region")).rejects.toThrow(
      /no-such-region/,
    );
  });

  it("fails the build when the file is not there", async () => {
    await expect(render("<<< @/../solutions/01-minimal-vm/no-such-file.ts")).rejects.toThrow(/no-such-file/);
  });
});
