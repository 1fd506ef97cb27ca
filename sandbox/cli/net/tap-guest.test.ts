/** The embedded guest on a TAP device, as `npm run sandbox -- --net tap:NAME` has it: the host's kernel is its network. */
import { afterEach, describe, expect, it } from "vitest";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";
import { Namespace, requireNamespace } from "./test-namespace.ts";

const NAME = `vmexit-guest-${process.pid}`;
const PROMPT = "\n> ";
const STATIC = "ip=10.0.2.15/24,10.0.2.2";

const FETCH = `
  fetch("http://10.0.2.15/status.txt").then(async answer => {
    console.log(answer.status, answer.headers.get("content-type"));
    console.log(await answer.text());
  });
`;

let namespace: Namespace | undefined;
let guest: SandboxProcess | undefined;
afterEach(() => {
  guest?.kill();
  namespace?.close();
});

describe("the embedded guest on a TAP device", requireNamespace().options, () => {
  it("answers 1,000 pings of the host's kernel, and gives it a page", { timeout: 240_000 }, async () => {
    namespace = new Namespace(NAME);
    const words = ["--engine", "soft", "--memory", "16", "--net", "tap:vmx0", "--append", STATIC];
    guest = startSandbox(words, namespace.launcher);
    const start = await guest.until(PROMPT);
    expect(start).toContain("network  10.0.2.15, gateway 10.0.2.2");
    namespace.beGateway("vmx0");

    const { received, times } = namespace.ping(1000);
    console.log(times);
    expect(received).toBe(1000);

    const page = namespace.run(process.execPath, "-e", FETCH);
    expect(page).toMatch(/^200 text\/plain; charset=utf-8\n/);
    expect(page).toMatch(/^answered: 1000 echoes, 1 pages$/m);

    // The other way: the guest asks, the kernel answers.
    guest.type("ping 10.0.2.2 3\r");
    expect(await guest.until("received")).toContain("3 sent, 3 received");
    guest.type("halt\r");
    expect(await guest.exitCode).toBe(0);
  });
});
