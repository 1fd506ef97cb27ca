import { beforeEach, describe, expect, it } from "vitest";
import { type BootRun, resultOf } from "./boot.bench.ts";
import { canReadProcessorTime, SerialProcess } from "./serial-process.ts";

const runs = (...processors: number[]): BootRun[] =>
  processors.map(processor => ({ processor, wall: processor + 1, work: processor / 2 }));

describe("the result of bench boot", () => {
  it("has a row for processor time, wall and work, each with its unit and all who ran", () => {
    const result = resultOf(
      new Map([
        ["ours", runs(20, 30, 40)],
        ["v86", runs(10, 10, 20)],
        ["qemu", runs(4, 5, 5)],
      ]),
      ["a note"],
    );
    expect(result.bench).toBe("boot");
    expect(result.rows).toMatchObject([
      { name: "to the shell, processor time", unit: "s", ours: 30, peers: { v86: 10, qemu: 5 } },
      { name: "to the shell, wall", unit: "s", ours: 31, peers: { v86: 11, qemu: 6 } },
      { name: "md5sum of 16 MiB, processor time", unit: "s", ours: 15, peers: { v86: 5, qemu: 2.5 } },
    ]);
    // 20/10, 30/10 and 40/20: the middle round decides.
    expect(result.rows[0]!.ratio.v86).toBe(2);
    expect(result.notes).toEqual(["a note", expect.stringMatching(/takes? 2\.00 times .* kept$/)]);
  });

  it("says when the rule is broken, and nothing about it without v86", () => {
    const slow = resultOf(
      new Map([
        ["ours", runs(40)],
        ["v86", runs(10)],
      ]),
      [],
    );
    expect(slow.notes.at(-1)).toMatch(/4\.00 times .* broken$/);
    expect(resultOf(new Map([["ours", runs(40)]]), []).notes).toEqual([]);
  });
});

describe("an emulator's process", () => {
  beforeEach(({ skip }) => {
    if (!canReadProcessorTime) skip("processor times are read from /proc, which only Linux has");
  });

  const shell = (script: string) => new SerialProcess("the shell", ["sh", "-c", script]);

  it("answers on its serial line, and the processor time counts its children, ended or not", async () => {
    // Both burn for about as long: one child that ends and is waited for, one that is still there.
    const guest = shell(`burn() { i=0; while [ $i -lt 40000 ]; do i=$((i+1)); done; }
      (burn); (burn; echo ready; read line; echo "got $line") & wait`);
    const first = await guest.until("ready\n", 60);
    expect(first.output).toBe("ready\n");
    expect(first.moment.processorSeconds).toBeGreaterThan(0.02);
    guest.close();
  });

  it("takes what is typed, and forgets what was waited for", async () => {
    const guest = shell('echo "one two"; read line; echo "got $line"');
    expect((await guest.until("one", 60)).output).toBe("one");
    guest.type("hello\n");
    expect((await guest.until("got hello", 60)).output).toBe(" two\ngot hello");
    guest.close();
  });

  it("says what went wrong: no program, an early end, no answer", async () => {
    await expect(new SerialProcess("x", ["/no/such/program"]).until("a", 60)).rejects.toThrow(/x: .*ENOENT/);
    await expect(shell("echo bye; exit 3").until("hi", 60)).rejects.toThrow(
      /the shell: it ended with code 3 before "hi"; the last it sent: "bye\\n"/,
    );
    const silent = shell("read line");
    await expect(silent.until("hi", 0.1)).rejects.toThrow(/0\.1 seconds went by before "hi"/);
    silent.close();
  });
});
