/* REP MOVS: big blocks of doublewords, bytes at odd addresses, and many short ones. */
#include "../rows.h"

#define ROUNDS 200
#define BIG (256u << 10)
#define SHORT 40

static void move_doublewords(void *to, const void *from, uint32_t count) {
  __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

static void move_bytes(void *to, const void *from, uint32_t count) {
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
}

uint32_t rep_movs(void) {
  uint8_t *from = arena, *to = arena + 2 * BIG;
  uint32_t checksum = 0, seed = 11;
  for (uint32_t i = 0; i < BIG; i++) from[i] = next_random(&seed) >> 24;
  for (int round = 0; round < ROUNDS; round++) {
    from[round] += round;
    move_doublewords(to, from, BIG / 4);
    checksum = fold(checksum, to[round]);
    move_bytes(to + 1, from + 3, BIG / 4);
    checksum = fold(checksum, to[round * 3 + 1]);
    for (uint32_t at = 0; at < BIG / 4; at += SHORT) move_bytes(to + at, from + 2 * at, SHORT - round % 8);
    checksum = fold(checksum, to[round * 5]);
  }
  return checksum;
}
