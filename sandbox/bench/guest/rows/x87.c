/* The x87 as compilers use it: a Mandelbrot set in doubles, Newton's square roots beside FSQRT, conversions. */
#include "../rows.h"

#define SIZE 96
#define DEPTH 60
#define ROOTS 60000

static uint32_t bits(double value) {
  union {
    double value;
    uint32_t words[2];
  } both = {value};
  return both.words[0] ^ both.words[1];
}

static uint32_t mandelbrot(void) {
  uint32_t checksum = 0;
  for (int row = 0; row < SIZE; row++) {
    for (int column = 0; column < SIZE; column++) {
      double cr = column * (3.0 / SIZE) - 2.1, ci = row * (2.4 / SIZE) - 1.2;
      double zr = 0, zi = 0;
      uint32_t depth = 0;
      while (depth < DEPTH && zr * zr + zi * zi < 4.0) {
        double next = zr * zr - zi * zi + cr;
        zi = 2 * zr * zi + ci;
        zr = next;
        depth++;
      }
      checksum = fold(checksum, depth);
    }
  }
  return checksum;
}

static uint32_t roots(void) {
  uint32_t checksum = 0, seed = 87;
  for (int i = 0; i < ROOTS; i++) {
    int32_t number = next_random(&seed) >> 8;
    double square = number / 1000.0, root = square / 2 + 1, exact = square;
    __asm__("fsqrt" : "+t"(exact));
    for (int step = 0; step < 4; step++) root = (root + square / root) / 2;
    checksum = fold(checksum, bits(root) ^ bits(exact));
    checksum = fold(checksum, (uint32_t)(int32_t)(root - exact));
  }
  return checksum;
}

uint32_t x87(void) {
  __asm__ volatile("fninit");
  return mandelbrot() ^ roots();
}
