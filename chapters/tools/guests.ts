/** `npm run guests [WORD]`: assembles the guests, or those whose path has the word, beside their sources. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assemble, guestSources } from "./assemble.ts";
import { ROOT } from "./chapters.ts";
import { Complaint } from "./complaint.ts";
import { runTool } from "./run-tool.ts";

await runTool(() => {
  const word = process.argv[2] ?? "";
  const wanted = guestSources().filter(({ source }) => source.includes(word));
  if (wanted.length === 0) throw new Complaint(`no guest has “${word}” in its path`, 2);
  for (const guest of wanted) {
    const image = assemble(guest);
    const path = join(ROOT, guest.image);
    const same = existsSync(path) && readFileSync(path).equals(image);
    if (!same) writeFileSync(path, image);
    console.log(`${guest.image}: ${image.length} bytes, ${same ? "unchanged" : "written"}`);
  }
  return 0;
});
