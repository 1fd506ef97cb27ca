import { describe, expect, it } from "vitest";
import { CHAIN_EXAMPLES, followExample } from "./chain-cases.ts";

const follow = (name: string) => followExample(CHAIN_EXAMPLES.find(example => example.name === name)!);

describe("the chains of the page", () => {
  it("are right where they should be", () => {
    expect(follow("a frame to send")).toMatchObject({ readableLength: 86, writableLength: 0 });
    expect(follow("a command")).toMatchObject({ readableLength: 8, writableLength: 1 });
    expect(follow("an indirect table")).toMatchObject({ readableLength: 86, head: 0 });
  });

  it("are wrong in as many ways as there are", () => {
    expect(follow("a circle")).toBe("the chain from descriptor 0 does not end");
    expect(follow("a wild next")).toBe("a chain names descriptor 9 of a table of 4");
    expect(follow("a buffer over the edge")).toBe(
      "descriptor 1: 74 bytes at 0xfff0 are not all in writable RAM",
    );
  });
});
