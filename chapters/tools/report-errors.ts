/** Loaded before a chapter's main.ts (`node --import`): what nobody caught is reported for people. */
import { wantsColour } from "./code-frame.ts";

async function report(error: unknown): Promise<void> {
  const { reportError } = await import("./report-error.ts");
  const { lines, exitCode } = await reportError(error, wantsColour(process.stderr));
  process.stderr.write(`${lines.join("\n")}\n`, () => process.exit(exitCode));
}

process.on("uncaughtException", error => {
  report(error).catch(failure => {
    console.error(error, failure);
    process.exit(1);
  });
});
