/**
 * Frames as a wire takes them: the sums completed, large ones cut into segments.
 *
 * Source: VIRTIO 1.2, 5.1.6.2 (what a sender may leave to do); RFC 9293 and RFC 3168 for the flags that
 * only the first or the last segment carries.
 */

import type { Offload, OffloadSupport } from "#layers/07-virtio-net/net-backend.ts";
import { completeChecksum } from "#layers/07-virtio-net/net-header.ts";
import { read16, read32, write16, write32 } from "./addresses.ts";
import { addWords, checksum, fold } from "./checksum.ts";
import { ETHERNET_HEADER, IPV4_HEADER, TCP } from "./ipv4.ts";
import { CHECKSUM_OFFSET, FIN, PSH, TCP_HEADER } from "./tcp-segment.ts";

const IPV6_HEADER = 40;
const CWR = 0b1000_0000;

/** The frames that a frame is on a wire; none if what is left to do with it makes no sense. */
export function framesOnWire(frame: Uint8Array, offload: Offload | null): Uint8Array[] {
  if (!offload) return [frame];
  if (offload.segmentation) return segments(frame, offload.segmentation);
  const complete = frame.slice();
  const { checksum: sum } = offload;
  if (!sum) return [frame];
  if (sum.start + sum.offset + 2 > frame.length) return [];
  completeChecksum(complete, sum);
  return [complete];
}

/** Whether one who takes `support` can be given a frame as it is. */
export function takesAsIs(offload: Offload | null, support: OffloadSupport): boolean {
  if (!offload) return true;
  if (offload.segmentation) return support.segmentation && support.checksum;
  return offload.checksum === null || support.checksum;
}

function segments(frame: Uint8Array, { protocol, size }: NonNullable<Offload["segmentation"]>): Uint8Array[] {
  const isIpv4 = protocol === "tcp4";
  const ip = ETHERNET_HEADER;
  if (frame.length < ip + IPV4_HEADER || frame[ip]! >> 4 !== (isIpv4 ? 4 : 6) || size === 0) return [];
  const tcp = ip + (isIpv4 ? (frame[ip]! & 0xf) * 4 : IPV6_HEADER);
  if (frame[ip + (isIpv4 ? 9 : 6)] !== TCP || frame.length < tcp + TCP_HEADER) return [];
  const data = tcp + (frame[tcp + 12]! >> 4) * 4;
  if (data < tcp + TCP_HEADER || data > frame.length) return [];
  const made: Uint8Array[] = [];
  const identification = read16(frame, ip + 4);
  const sequence = read32(frame, tcp + 4);
  for (let done = 0, index = 0; done === 0 || data + done < frame.length; done += size, index++) {
    const part = frame.subarray(data + done, data + done + size);
    const segment = new Uint8Array(data + part.length);
    segment.set(frame.subarray(0, data));
    segment.set(part, data);
    write32(segment, tcp + 4, (sequence + done) >>> 0);
    const isLast = data + done + size >= frame.length;
    if (!isLast) segment[tcp + 13]! &= ~(FIN | PSH);
    if (done > 0) segment[tcp + 13]! &= ~CWR;
    if (isIpv4) {
      write16(segment, ip + 2, segment.length - ip);
      write16(segment, ip + 4, (identification + index) & 0xffff);
      write16(segment, ip + 10, 0);
      write16(segment, ip + 10, checksum(segment, ip, tcp));
    } else write16(segment, ip + 4, segment.length - tcp);
    write16(segment, tcp + CHECKSUM_OFFSET, 0);
    const pseudo = addWords(
      TCP + segment.length - tcp,
      segment,
      ip + (isIpv4 ? 12 : 8),
      ip + (isIpv4 ? 20 : 40),
    );
    const sum = fold(addWords(pseudo, segment, tcp, segment.length));
    write16(segment, tcp + CHECKSUM_OFFSET, ~sum & 0xffff);
    made.push(segment);
  }
  return made;
}
