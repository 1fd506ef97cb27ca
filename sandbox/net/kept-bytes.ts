/** Bytes of a frame that are kept after it: they must not keep the frame too, which may be 64 KiB of padding. */

/** What keeping a piece costs beside its bytes, so that many tiny ones are bounded too. */
export const PIECE_COST = 256;

/** The same bytes; in memory of their own if that behind them is much more. */
export function withoutRest(bytes: Uint8Array): Uint8Array {
  return bytes.buffer.byteLength - bytes.length > PIECE_COST ? bytes.slice() : bytes;
}
