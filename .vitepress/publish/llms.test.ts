import { describe, expect, it } from "vitest";
import { markdownPages } from "../checks/built-site.ts";
import { partOf } from "../markdown/regions.ts";
import { figureWords } from "./figure-words.ts";
import { inWords } from "./in-words.ts";
import { plainMarkdown } from "./llms.ts";

describe("the book as plain Markdown", () => {
  it.each(markdownPages())("%s has nothing in it that only VitePress understands", file => {
    const prose = plainMarkdown(file).replace(/^```[\s\S]*?^```$/gm, "");
    expect(prose).not.toMatch(/^<<<|<script|<\/?[A-Z]\w+/m);
    expect(prose.replace(/`[^`\n]*`/g, "")).not.toMatch(
      /\{\{|<\/?(?:div|table|t[rdh]|d[ltd]|a|span)\b|\sv-[a-z]+=/,
    );
  });

  it("has the rows of what a page computes", () => {
    const syllabus = plainMarkdown("instructors/syllabus.md");
    expect(syllabus.match(/^\| 1 \| 1 A minimal virtual machine: .* \| [\d.]+\u00a0h \|$/gm)).toHaveLength(2);
    expect(syllabus).toMatch(
      /^\| 8 \| Read the setup header \| \d+ min \| \d+ min: runtime-start, setup-header \|$/m,
    );
    const maps = plainMarkdown("ports-vectors-memory-map.md");
    expect(maps).toContain("| `0x3f8–0x3ff` | COM1 | RBR, THR, DLL;");
    expect(maps).toContain("| 14 | `#PF` page fault | fault, with an error code | page fault |");
    expect(plainMarkdown("sandbox-command-line.md")).toContain("--virtual-time");
    expect(plainMarkdown("chapters/01-minimal-vm.md")).toContain("| `solutions/01-minimal-vm/vmm.ts` |");
    expect(plainMarkdown("glossary.md")).toMatch(/^\*\*virtio-mmio\*\*: .* \[Chapter 7\]\(/m);
  });

  it("marks no lines, and refuses a component that it cannot write out", () => {
    expect(plainMarkdown("index.md")).toContain("`solutions/01-minimal-vm/vmm.ts`:\n\n```ts\n");
    expect(() => inWords("NewFigure", ' :width="3" ')).toThrow("<NewFigure> has no caption");
  });

  it("says of a figure what its component says to who cannot see it", () => {
    const figures = figureWords(
      '<figure class="figure" aria-label="Bits: 0 P, &quot;there&quot;." data-v-1><figure class="figure" aria-label="inner">' +
        "<svg></svg></figure><!--[--><figcaption data-v-1><!--[-->A &lt; B, 4\u00a0KiB<!--]--></figcaption><!--]--></figure>",
    );
    expect([...figures]).toEqual([["A < B, 4 KiB", 'Bits: 0 P, "there".']]);
    expect(inWords("BitFields", ' caption="A < B, 4 KiB" ', figures)).toBe(
      '*Figure: A < B, 4 KiB*\n\nIn words: Bits: 0 P, "there".',
    );
    expect(() => inWords("BitFields", ' caption="C" ', figures)).toThrow("no figure with the caption “C”");
  });

  it("writes out code and outputs, with their files' names", () => {
    const text = plainMarkdown("chapters/05-pit.md");
    expect(text).toContain("`solutions/05-pit/counter.ts`:\n\n```ts\n");
    expect(text).toMatch(/```exit-log\n\$ npm run chapter 5/);
    expect(text).not.toMatch(/#(end)?region/);
    expect(text).toContain("*Figure: The six modes with a count of 5.");
    expect(text).toContain("**Predict:** The host is busy");
    expect(text).toContain("| Before | After |\n|---|---|\n| `HLT` waits");
  });
});

describe("a part of a file", () => {
  const file =
    "// #region a\n  one\n    two\n  // #region b\n  three\n  // #endregion b\n// #endregion a\nfour";

  it("is a region without markers and without its indentation", () => {
    expect(partOf(file, "a", "x.ts")).toBe("one\n  two\nthree");
    expect(partOf(file, undefined, "x.ts")).toBe("  one\n    two\n  three\nfour");
  });

  it("is refused if it is not there", () => {
    expect(() => partOf(file, "c", "x.ts")).toThrow("x.ts has no region “c”");
  });
});
