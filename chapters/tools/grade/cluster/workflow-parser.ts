/** GitHub's own parser of workflows, bundled: its package imports JSON in a way that Node does not take. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { ROOT } from "../../chapters.ts";

type WorkflowParser = typeof import("@actions/workflow-parser");

export async function loadWorkflowParser(): Promise<WorkflowParser> {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-workflow-"));
  try {
    const outfile = join(folder, "parser.mjs");
    await build({
      stdin: { contents: 'export * from "@actions/workflow-parser";', resolveDir: ROOT },
      ...{ bundle: true, platform: "node", format: "esm", outfile, logLevel: "error" },
    });
    return (await import(/* @vite-ignore */ pathToFileURL(outfile).href)) as WorkflowParser;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
