/**
 * The guest at a TAP device's end, for its test: answers ARP, echo requests and HTTP as 10.0.2.15. It runs
 * as a process of its own, inside the network namespace that the test made, and ends with its input.
 */
import { FastGuest } from "../../net/test-fast-guest.ts";
import { GUEST, GUEST_MAC, icmp } from "../../net/test-guest.ts";
import { Tap } from "./tap.ts";

const tap = new Tap({ name: process.argv[2]! });
const page = new TextEncoder().encode(`HTTP/1.0 200 OK\r\n\r\n${"a page of the guest's\n".repeat(50_000)}`);
const guest = new FastGuest(tap, { offloads: true });
guest.serve(80, () => page);

const toTcp = tap.onFrame!;
tap.onFrame = (frame, offload) => {
  const type = (frame[12]! << 8) | frame[13]!;
  if (type === 0x0806 && frame[21] === 1 && GUEST.every((byte, index) => frame[38 + index] === byte)) {
    const sender = frame.subarray(22, 32);
    const head = [...frame.subarray(6, 12), ...GUEST_MAC, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2];
    tap.send(Uint8Array.from([...head, ...GUEST_MAC, ...GUEST, ...sender]), null);
  } else if (type === 0x0800 && frame[23] === 1 && frame[34] === 8) {
    const answer = frame.slice();
    answer.set(frame.subarray(6, 12), 0);
    answer.set(GUEST_MAC, 6);
    answer.set(frame.subarray(30, 34), 26);
    answer.set(frame.subarray(26, 30), 30);
    answer.set(icmp(0, 0, [...frame.subarray(38)]), 34);
    tap.send(answer, null);
  } else if (type === 0x0800 && frame[23] === 6) return toTcp(frame, offload);
  return true;
};

process.stdout.write(`${tap.name}\n`);
process.stdin.on("end", () => tap.close()).resume();
