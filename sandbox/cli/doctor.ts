/** `npm run doctor`: what this machine has, and one line of help for what it has not. */
import { styleText } from "node:util";
import { examine, type Finding } from "./checks.ts";

/** A pipe and NO_COLOR get plain text. */
const coloured = process.stdout.isTTY === true && !process.env["NO_COLOR"];

function line({ name, ok, required, detail }: Finding): string {
  const [mark, colour] = ok
    ? (["✓", "green"] as const)
    : required
      ? (["✗", "red"] as const)
      : (["–", "yellow"] as const);
  return `${coloured ? styleText(colour, mark) : mark} ${name.padEnd(12)}${detail}`;
}

const findings = await examine();
for (const finding of findings) console.log(line(finding));

const missing = findings.filter(({ ok, required }) => required && !ok).map(({ name }) => name);
console.log(
  missing.length > 0
    ? `\nNothing runs before this is repaired: ${missing.join(", ")}`
    : `\nReady: npm run chapter 1 solution${findings.every(({ ok }) => ok) ? "" : "   (what is marked – is needed only for what its line says)"}`,
);
process.exitCode = missing.length > 0 ? 1 : 0;
