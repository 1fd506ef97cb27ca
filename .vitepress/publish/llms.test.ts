import { describe, expect, it } from "vitest";
import { markdownPages } from "../checks/built-site.ts";
import { partOf } from "../markdown/regions.ts";
import { plainMarkdown } from "./llms.ts";

describe("the book as plain Markdown", () => {
  it.each(markdownPages())("%s has nothing in it that only VitePress understands", file => {
    const prose = plainMarkdown(file).replace(/^```[\s\S]*?^```$/gm, "");
    expect(prose).not.toMatch(/^<<<|<script|<\/?[A-Z]\w+/m);
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
