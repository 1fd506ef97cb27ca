import { expect, it } from "vitest";
import { plainText, Screen } from "./screen.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

it("leaves out what only a terminal understands", () => {
  expect(plainText("\x1b[1;32mgreen\x1b[0m\r\n\x1b]0;title\x07> lx\b \bs\x1b[6n\n")).toBe("green\n> ls\n");
});

it("shows a viewer that opens late what was written before, and then what comes", () => {
  const screen = new Screen();
  screen.write(bytes("before "));
  let seen = "";
  const close = screen.open({
    write: part => void (seen += new TextDecoder().decode(part)),
    clear: () => void (seen = ""),
  });
  screen.write(bytes("after"));
  expect(seen).toBe("before after");
  close();
  screen.write(bytes("nobody sees this"));
  expect(seen).toBe("before after");
});

it("keeps the end of a long run", () => {
  const screen = new Screen();
  for (let line = 0; line < 20_000; line++) screen.write(bytes(`line ${line}\n`));
  expect(screen.text(30)).toMatch(/line 19998\nline 19999\n$/);
  expect(screen.bytes().length).toBeLessThan(70_000);
});
