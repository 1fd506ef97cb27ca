/** `npm run outputs [WORD]`: makes the outputs that the book shows, or those whose file name has the word. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bookOutputs, makeOutput, OUTPUTS } from "./book-outputs.ts";
import { ROOT } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import { runTool } from "./run-tool.ts";

await runTool(async () => {
  const word = process.argv[2] ?? "";
  const wanted = bookOutputs().filter(
    ({ file, heldBy }) => file.includes(word) && (!heldBy || file === `${word}.txt`),
  );
  if (wanted.length === 0) throw new Complaint(`no output has “${word}” in its name`, 2);
  for (const output of wanted) {
    const path = join(ROOT, OUTPUTS, output.file);
    const text = await makeOutput(output);
    const same = existsSync(path) && readFileSync(path, "utf8") === text;
    if (!same) writeFileSync(path, text);
    console.log(`${OUTPUTS}/${output.file}: ${same ? "unchanged" : "written"}`);
  }
  return 0;
});
