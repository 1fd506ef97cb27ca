/**
 * ICMP: echo is answered, errors are told.
 *
 * Source: RFC 792; which packets no error is told about: RFC 1122, 3.2.2.
 */
import { EVERYBODY, type Ipv4, isMulticast, write16 } from "./addresses.ts";
import { checksum } from "./checksum.ts";
import { ICMP, type Ipv4Packet, makeIpv4, PAYLOAD } from "./ipv4.ts";

const ECHO_REPLY = 0;
const UNREACHABLE = 3;
const ECHO_REQUEST = 8;
const TIME_EXCEEDED = 11;

const ICMP_HEADER = 8;
/** An error carries as much of its packet as fits in 576 bytes (RFC 1812, 4.3.2.3). */
const MOST_QUOTED = 576 - 20 - ICMP_HEADER;

export type IcmpError = "host unreachable" | "protocol unreachable" | "port unreachable" | "time exceeded";

const TYPE_AND_CODE: Readonly<Record<IcmpError, readonly [type: number, code: number]>> = {
  "host unreachable": [UNREACHABLE, 1],
  "protocol unreachable": [UNREACHABLE, 2],
  "port unreachable": [UNREACHABLE, 3],
  "time exceeded": [TIME_EXCEEDED, 0],
};

export function isEchoRequest(packet: Ipv4Packet): boolean {
  const { protocol, payload } = packet;
  return (
    protocol === ICMP && payload.length >= ICMP_HEADER && payload[0] === ECHO_REQUEST && payload[1] === 0
  );
}

/** The answer to an echo request, as a frame without Ethernet addresses. */
export function echoReply({ source, destination, payload }: Ipv4Packet): Uint8Array {
  const frame = makeIpv4({
    source: destination,
    destination: source,
    protocol: ICMP,
    length: payload.length,
  });
  frame.set(payload, PAYLOAD);
  return complete(frame, ECHO_REPLY, 0);
}

/**
 * Tells who sent `packet` what became of it, as a frame without Ethernet addresses; null for packets that
 * no error is told about.
 */
export function icmpError(error: IcmpError, packet: Ipv4Packet, from: Ipv4): Uint8Array | null {
  const { source, destination, protocol, payload, fragmentOffset } = packet;
  const isError = protocol === ICMP && payload[0] !== ECHO_REQUEST && payload[0] !== ECHO_REPLY;
  if (isError || isMulticast(destination) || destination === EVERYBODY || fragmentOffset > 0) return null;
  const quoted = packet.bytes.subarray(0, MOST_QUOTED);
  const length = ICMP_HEADER + quoted.length;
  const frame = makeIpv4({ source: from, destination: source, protocol: ICMP, length });
  frame.set(quoted, PAYLOAD + ICMP_HEADER);
  return complete(frame, ...TYPE_AND_CODE[error]);
}

/** As much of a packet as an error about it needs: what is kept for later holds no whole frame. */
export function quotable(packet: Ipv4Packet): Ipv4Packet {
  return { ...packet, bytes: packet.bytes.slice(0, MOST_QUOTED), payload: packet.payload.slice(0, 1) };
}

function complete(frame: Uint8Array, type: number, code: number): Uint8Array {
  frame[PAYLOAD] = type;
  frame[PAYLOAD + 1] = code;
  write16(frame, PAYLOAD + 2, 0);
  write16(frame, PAYLOAD + 2, checksum(frame, PAYLOAD));
  return frame;
}
