/** Bytes as a hex dump: address, sixteen bytes, and what of them is printable. */

const ROW = 16;

export function hexDump(bytes: Uint8Array): string {
  const rows = Array.from({ length: Math.ceil(bytes.length / ROW) }, (_, index) => {
    const row = bytes.subarray(index * ROW, (index + 1) * ROW);
    const address = (index * ROW)
      .toString(16)
      .padStart(8, "0")
      .replace(/(.{4})$/, "_$1");
    const pairs = Array.from(row, byte => byte.toString(16).padStart(2, "0"));
    const halves = [pairs.slice(0, ROW / 2), pairs.slice(ROW / 2)].map(half => half.join(" ")).join("  ");
    const text = Array.from(row, byte => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "."));
    return `${address}  ${halves.padEnd(ROW * 3)}  |${text.join("")}|`;
  });
  return rows.join("\n");
}
