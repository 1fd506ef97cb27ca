/* 64-bit numbers on a 32-bit processor: ADC, SBB, SHLD, MUL, and division by libgcc. */
#include "../rows.h"

#define ROUNDS 150000

/* Marsaglia's xorshift with Vigna's multiplier. */
static uint64_t xorshift(uint64_t *state) {
  uint64_t x = *state;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  *state = x;
  return x * 0x2545f4914f6cdd1d;
}

uint32_t arithmetic64(void) {
  uint64_t state = 88172645463325252u, sum = 0;
  int64_t signed_sum = 0;
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t a = xorshift(&state), b = xorshift(&state);
    sum += a - b;
    sum ^= sum << (a & 31) | sum >> (b & 63);
    signed_sum += (int64_t)a < (int64_t)b ? (int64_t)(a >> 3) : -(int64_t)(b >> 5);
    if (round % 8 == 0) sum += a / (b >> 34 | 1) + a % (b >> 20 | 1);
  }
  sum ^= (uint64_t)signed_sum;
  return (uint32_t)sum ^ (uint32_t)(sum >> 32);
}
