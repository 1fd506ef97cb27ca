/** Debian 12's kernels for 32-bit processors: without and with physical address extension. */
export const FLAVOURS = ["686", "686-pae"] as const;
export type DebianFlavour = (typeof FLAVOURS)[number];
