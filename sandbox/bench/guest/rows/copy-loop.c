/* A copy of 256 KiB, word by word, as a compiler makes it: load, store, count, jump. */
#include "../rows.h"

#define WORDS (64u << 10)
#define ROUNDS 60

uint32_t copy_loop(void) {
  uint32_t *from = (uint32_t *)arena, *to = from + WORDS;
  uint32_t checksum = 0, seed = 9;
  for (uint32_t i = 0; i < WORDS; i++) from[i] = next_random(&seed);
  for (int round = 0; round < ROUNDS; round++) {
    from[round] += round;
    for (uint32_t i = 0; i < WORDS; i++) to[i] = from[i];
    checksum = fold(checksum, to[round * 7]);
    __asm__ volatile("" : : : "memory");
  }
  return checksum;
}
