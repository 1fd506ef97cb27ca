/** Runs a command-line tool of the house: a complaint is printed as its line, everything else with its stack. */
import { ManifestError } from "./chapter-manifest.ts";
import { Complaint } from "./complaint.ts";

/** `main` returns the exit code. */
export async function runTool(main: () => number | Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    if (error instanceof Complaint) {
      console.error(error.message);
      process.exitCode = error.exitCode;
    } else if (error instanceof ManifestError) {
      console.error(error.message);
      process.exitCode = 1;
    } else {
      throw error;
    }
  }
}
