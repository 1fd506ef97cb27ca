/**
 * What the keyboard controller makes of scan code set 2 when it translates to set 1, the codes of the first
 * PC: a table for 0x00 to 0x7f, two codes beyond it, and the break prefix 0xf0, which becomes bit 7.
 *
 * Source: IBM PS/2 Hardware Interface Technical Reference, "Keyboard and auxiliary device controller",
 * scan code translation; set 1 and set 2 tables of the 101-key keyboard.
 */

const BREAK_PREFIX = 0xf0;
const BREAK = 0x80;

const SET_1 = `
  ff 43 41 3f 3d 3b 3c 58 64 44 42 40 3e 0f 29 59
  65 38 2a 70 1d 10 02 5a 66 71 2c 1f 1e 11 03 5b
  67 2e 2d 20 12 05 04 5c 68 39 2f 21 14 13 06 5d
  69 31 30 23 22 15 07 5e 6a 72 32 24 16 08 09 5f
  6b 33 25 17 18 0b 0a 60 6c 34 35 26 27 19 0c 61
  6d 73 28 74 1a 0d 62 6e 3a 36 1c 1b 75 2b 63 76
  55 56 77 78 79 7a 0e 7b 7c 4f 7d 4b 47 7e 7f 6f
  52 53 50 4c 4d 48 01 45 57 4e 51 4a 37 49 46 54
`
  .trim()
  .split(/\s+/)
  .map(code => Number.parseInt(code, 16));

/** F7 and SysRq lie above the table. */
const BEYOND: Readonly<Record<number, number>> = { 131: 0x41, 132: 0x54 };

/** Translates byte by byte; the prefix is remembered. */
export class ScanCodeTranslator {
  isBreak = false;

  /** The byte of set 1, or undefined where the prefix was swallowed. */
  translate(code: number): number | undefined {
    if (code === BREAK_PREFIX) {
      this.isBreak = true;
      return undefined;
    }
    const made = SET_1[code] ?? BEYOND[code] ?? code;
    const translated = this.isBreak ? made | BREAK : made;
    this.isBreak = false;
    return translated;
  }
}
