/** What a frame says, in one line: chapter 7's words, and for TCP what its segments say. */
import { describeFrame } from "../../chapters/07-virtio-net/packets.ts";
import { formatIpv4 } from "../../sandbox/net/addresses.ts";
import { parseIpv4, TCP } from "../../sandbox/net/ipv4.ts";
import { ACK, FIN, PSH, parseTcp, RST, SYN } from "../../sandbox/net/tcp-segment.ts";

export interface FrameWords {
  readonly protocol: string;
  readonly text: string;
}

const FLAGS = [
  ["SYN", SYN],
  ["FIN", FIN],
  ["RST", RST],
  ["PSH", PSH],
  ["ACK", ACK],
] as const;

export function frameWords(frame: Uint8Array): FrameWords {
  const packet = parseIpv4(frame);
  // On the wire the sum may be whatever the driver left: it is no business of a line of text.
  const segment = packet?.protocol === TCP && packet.fragmentOffset === 0 ? parseTcp(packet, true) : null;
  if (!packet || !segment) {
    const { protocol, text } = describeFrame(frame);
    return { protocol, text };
  }
  const flags = FLAGS.filter(([, bit]) => segment.flags & bit).map(([name]) => name);
  const way = `${formatIpv4(packet.source)}:${segment.sourcePort} → ${formatIpv4(packet.destination)}:${segment.destinationPort}`;
  return { protocol: "TCP", text: `${way} ${flags.join(" ")}, ${segment.data.length} bytes` };
}
