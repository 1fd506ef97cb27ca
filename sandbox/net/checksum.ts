/**
 * The Internet checksum: the ones' complement of the ones' complement sum of 16-bit words.
 *
 * Source: RFC 1071; the pseudo header of TCP and UDP: RFC 9293, 3.1, and RFC 768.
 */

/** Adds the words of `bytes` from `start` to `end` to `sum`; an odd last byte counts as a high byte. */
export function addWords(sum: number, bytes: Uint8Array, start: number, end: number): number {
  const even = start + ((end - start) & ~1);
  // At most 65,557 bytes: the sum stays far below 2 ** 53, so it is folded once, at the end.
  for (let at = start; at < even; at += 2) sum += (bytes[at]! << 8) | bytes[at + 1]!;
  return even < end ? sum + (bytes[even]! << 8) : sum;
}

/** A sum in 16 bits. */
export function fold(sum: number): number {
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 0x1_0000);
  return sum;
}

export function checksum(bytes: Uint8Array, start = 0, end = bytes.length): number {
  return ~fold(addWords(0, bytes, start, end)) & 0xffff;
}

/** The sum over source, destination, protocol and length, not folded. */
export function pseudoHeader(source: number, destination: number, protocol: number, length: number): number {
  return (
    (source >>> 16) + (source & 0xffff) + (destination >>> 16) + (destination & 0xffff) + protocol + length
  );
}
