import { describe, expect, it } from "vitest";
import { randomNumbers } from "../cpu/test-machine.ts";
import { Switch } from "../net/switch.ts";
import { cable, TwoGuests } from "./two-guests.ts";

const OPTIONS = ["ip=10.0.0.1/24", "ip=10.0.0.2/24"] as const;

const onCable = (isLost: () => boolean) => new TwoGuests(OPTIONS, () => cable(isLost)).atPrompt();

const onSwitch = () =>
  new TwoGuests(OPTIONS, clock => {
    const lan = new Switch(callback => void clock.schedule(clock.now() + 1000, callback));
    return [lan.plug(), lan.plug()];
  }).atPrompt();

/** A cable without faults, and the switch. */
const WIRES = [
  ["a cable", () => onCable(() => false)],
  ["the virtual switch", onSwitch],
] as const;

/** The body of a page that `fetch` has printed, if it came whole. */
function wholePage(answer: string): string {
  const [head = "", body = ""] = answer.split("\n\n");
  expect(head).toMatch(/^HTTP\/1\.0 200 OK\n/);
  expect(`${body}\n`).toHaveLength(Number(/Content-Length: (\d+)/.exec(head)?.[1]));
  return body;
}

describe("two embedded guests", () => {
  it.each(WIRES)("ping each other on %s", (_wire, boot) => {
    const two = boot();
    for (const [at, other] of [
      [0, "10.0.0.2"],
      [1, "10.0.0.1"],
    ] as const) {
      const answer = two.ask(at, `ping ${other} 3`);
      expect(answer).toMatch(
        new RegExp(`^(64 bytes from ${other}: seq \\d, ttl 64, .* ms\n){3}3 sent, 3 received\n$`),
      );
      for (const [, time] of answer.matchAll(/, ([\d.]+) ms/g)) expect(Number(time)).toBeLessThan(2);
    }
  });

  it.each(WIRES)("fetch each other's page on %s", (_wire, boot) => {
    const two = boot();
    expect(wholePage(two.ask(0, "fetch 10.0.0.2/status.txt"))).toMatch(/card: 52:54:00:00:00:02, /);
    expect(wholePage(two.ask(1, "fetch 10.0.0.1"))).toContain("<td>52:54:00:00:00:01, ");
    expect(two.ask(0, "fetch 10.0.0.2/else")).toContain("HTTP/1.0 404 Not Found\n");
    expect(two.ask(0, "net")).toContain(" 0 sent again\n");
  });

  it("get every page whole over a cable that loses every fifth frame", () => {
    const random = randomNumbers(0x5eed_0010);
    let sent = 0;
    let lost = 0;
    let isBad = false;
    const two = onCable(() => {
      if (!isBad) return false;
      sent++;
      const isLost = random() % 5 === 0;
      if (isLost) lost++;
      return isLost;
    });
    two.ask(0, "ping 10.0.0.2 1"); // they know each other
    isBad = true;
    for (let round = 0; round < 20; round++)
      wholePage(two.ask(round % 2 === 0 ? 0 : 1, `fetch 10.0.0.${2 - (round % 2)}`));
    expect(lost).toBeGreaterThan(sent / 10);
    const again = ([0, 1] as const).map(at => Number(/(\d+) sent again/.exec(two.ask(at, "net"))?.[1]));
    expect(again[0]! + again[1]!).toBeGreaterThan(10);
  });
});
