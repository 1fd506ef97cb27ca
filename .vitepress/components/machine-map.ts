/** The machine as the map draws it: where each layer sits. Units are those of the map's view box. */

export interface Block {
  /** The chapter that builds it. */
  readonly chapter: number;
  readonly label: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

export const BLOCK_HEIGHT = 34;

export const BLOCKS: readonly Block[] = [
  { chapter: 2, label: "Real mode", x: 128, y: 120, width: 115 },
  { chapter: 3, label: "Paging", x: 251, y: 120, width: 115 },
  { chapter: 4, label: "Gates and the IDT", x: 128, y: 158, width: 238 },
  { chapter: 1, label: "Run loop", x: 14, y: 296, width: 104 },
  { chapter: 1, label: "Buses", x: 126, y: 296, width: 92 },
  { chapter: 1, label: "Guest memory", x: 226, y: 296, width: 140 },
  { chapter: 4, label: "PIC", x: 14, y: 336, width: 74 },
  { chapter: 5, label: "PIT", x: 96, y: 336, width: 74 },
  { chapter: 6, label: "UART", x: 178, y: 336, width: 80 },
  { chapter: 7, label: "virtio-net", x: 266, y: 336, width: 100 },
  { chapter: 8, label: "Linux boot protocol", x: 14, y: 376, width: 204 },
];
