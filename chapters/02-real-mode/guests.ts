/** The boot sectors of chapter 2 and what each must print, on any processor. */
import { guestImage } from "../tools/guest-image.ts";

export interface ExpectedRun {
  readonly name: string;
  readonly image: Uint8Array;
  readonly output: string;
}

async function guest(name: string, lines: readonly string[]): Promise<ExpectedRun> {
  const image = await guestImage(new URL(`./guest/${name}.bin`, import.meta.url));
  return { name, image, output: lines.map(line => `${line}\n`).join("") };
}

export const GUESTS: readonly ExpectedRun[] = await Promise.all([
  guest("boot", [
    "Hello from sector 0!",
    `fib    ${fibonacci(0xffff)} `,
    `primes ${primes(100)} `,
    `turned ${[..."Hello from sector 0!"].reverse().join("")}`,
    "0001 + 0002 = 0003 ....P.",
    "7fff + 0001 = 8000 OS.AP.",
    "ffff + 0001 = 0000 ..ZAPC",
    "8000 + 8000 = 0000 O.Z.PC",
  ]),
  guest("conditions", [
    "al ah   o  no   b  nb   z  nz  be nbe   s  ns   p  np   l  nl  le nle",
    "01 02   .   x   x   .   .   x   x   .   x   .   x   .   x   .   x   .",
    "02 02   .   x   .   x   x   .   x   .   .   x   x   .   .   x   x   .",
    "02 01   .   x   .   x   .   x   .   x   .   x   .   x   .   x   .   x",
    "ff 01   .   x   .   x   .   x   .   x   x   .   .   x   x   .   x   .",
    "80 01   x   .   .   x   .   x   .   x   .   x   .   x   x   .   x   .",
    "7f ff   x   .   x   .   .   x   x   .   x   .   .   x   .   x   .   x",
  ]),
  guest("segments", [
    "0000:7ca2 s",
    "07c0:00a2 s",
    "0700:0ca2 s",
    "03c0:40a2 s",
    "0000:7ca3 e",
    "ffff:0010 h",
    "0000:0000 l",
    "ds:ffff, 2 bytes: #GP",
  ]),
  guest("mandelbrot", mandelbrot()),
]);

function fibonacci(most: number): string {
  const numbers = [0, 1];
  while (numbers.at(-1)! + numbers.at(-2)! <= most) numbers.push(numbers.at(-1)! + numbers.at(-2)!);
  return numbers.join(" ");
}

function primes(below: number): string {
  const isPrime = (n: number) => Array.from({ length: n - 2 }, (_, d) => d + 2).every(d => n % d !== 0);
  return Array.from({ length: below - 2 }, (_, n) => n + 2)
    .filter(isPrime)
    .join(" ");
}

/** The guest's own arithmetic, in numbers of JavaScript: 12 bits behind the point, cut towards minus infinity. */
function mandelbrot(): string[] {
  const one = 1 << 12;
  const shades = "     .....::::---===++**%%#";
  const product = (a: number, b: number) => (a * b) >> 12;
  const turns = (real: number, imaginary: number): number => {
    let [x, y] = [0, 0];
    for (let turn = 0; turn < 26; turn++) {
      const far = [x * x, y * y, product(x, x) * one + product(y, y) * one];
      if (far.some(square => square >= 4 * one * one)) return turn;
      [x, y] = [product(x, x) - product(y, y) + real, 2 * product(x, y) + imaginary];
    }
    return 26;
  };
  const left = Math.trunc((-2050 * one) / 1000);
  const top = Math.trunc((-1150 * one) / 1000);
  const rightwards = Math.trunc(Math.trunc((2700 * one) / 1000) / 64);
  const downwards = Math.trunc(Math.trunc((2300 * one) / 1000) / 20);
  return Array.from({ length: 21 }, (_, row) =>
    Array.from(
      { length: 64 },
      (_, column) => shades[turns(left + column * rightwards, top + row * downwards)],
    ).join(""),
  );
}
