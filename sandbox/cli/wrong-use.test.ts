/** Wrong options and unusable files, given to `npm run sandbox` itself: one sentence each and code 2, no stack trace. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { requires } from "../../chapters/tools/requires.ts";
import { bzImage } from "../boot/test-images.ts";
import { SANDBOX, startSandbox } from "./sandbox-process.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-wrong-use-"));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

const whole = file("bzImage", bzImage());
const truncated = file("truncated", bzImage().subarray(0, 900));
const small = file("small.img", new Uint8Array(100));
const secret = file("secret", bzImage());
chmodSync(secret, 0);
const noImage = join(folder, "images");
mkdirSync(noImage);

/** Root reads any file, unless that right is taken from it. */
const asAnybody =
  process.getuid?.() === 0
    ? ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]
    : [];

async function run(words: readonly string[]): Promise<{ code: number; lines: string[]; output: string }> {
  const [program, ...rest] = [...asAnybody, ...SANDBOX, "--engine", "soft", ...words] as [
    string,
    ...string[],
  ];
  const started = spawn(program, rest, { stdio: ["ignore", "pipe", "pipe"] });
  let [output, errors] = ["", ""];
  started.stdout.on("data", bytes => void (output += bytes));
  started.stderr.on("data", bytes => void (errors += bytes));
  const [code] = await once(started, "close");
  // Which engine it is, is no complaint.
  const lines = errors.split(/\r?\n/).filter(line => line && !line.startsWith("engine: "));
  return { code, lines, output };
}

describe("npm run sandbox refuses", asAnybody.length > 0 ? requires("setpriv").options : {}, () => {
  it.concurrent.each([
    ["an unknown option", ["--bogus"], /Unknown option '--bogus'/],
    ["an unknown command", ["fly"], /there is no command "fly"/],
    ["a file that is not there", ["run", join(folder, "none")], /none: there is no such file or folder$/],
    ["a folder as image", ["run", noImage], /images: this is a folder$/],
    ["a file that may not be read", ["run", secret], /secret: you may not use this file$/],
    [
      "a truncated bzImage",
      ["run", truncated],
      /truncated: the kernel should be \d+ bytes long and has 900: it is cut short/,
    ],
    ["a disk of 100 bytes", ["--disk", small], /small\.img has 100 bytes, less than one sector$/],
    ["a save file that is none", ["--restore", small], /this is no save file of vmexit$/],
    [
      "a capture where no file can be",
      ["--capture", noImage],
      /^the capture file .*images: this is a folder$/,
    ],
    [
      "an unreadable initial RAM disk",
      ["run", whole, "--initrd", secret],
      /secret: you may not use this file$/,
    ],
  ])("%s", { timeout: 120_000 }, async (_what, words, sentence) => {
    const { code, lines, output } = await run(words);
    expect(lines, lines.join("\n")).toHaveLength(1);
    expect(lines[0]).toMatch(sentence);
    expect(output).toBe("");
    expect(code).toBe(2);
  });
});

it("a forwarded port that is taken costs a sentence, not the machine", { timeout: 120_000 }, async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const guest = startSandbox(["--engine", "soft", "--memory", "16", "--forward", `${port}:80`]);
  try {
    const start = await guest.until("\n> ");
    expect(start).toContain(
      `the host's TCP port 127.0.0.1:${port} cannot be forwarded: another program has it\r\n`,
    );
    guest.type("halt\r");
    expect(await guest.exitCode).toBe(0);
  } finally {
    guest.kill();
    server.close();
  }
});
