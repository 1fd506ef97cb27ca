/* A routine that is written anew again and again: its constants change, its bytes move. */
#include "../rows.h"

#define ROUNDS 100000
#define CALLS 4

/* mov eax, constant; add eax, [esp + 4]; xor eax, constant; ret */
static const uint8_t routine[] = {
    0xb8, 0, 0, 0, 0, 0x03, 0x44, 0x24, 0x04, 0x35, 0, 0, 0, 0, 0xc3,
};
#define FIRST 1
#define SECOND 10

static void write32(uint8_t *at, uint32_t value) {
  *(volatile uint32_t *)at = value;
}

uint32_t self_modifying(void) {
  uint32_t checksum = 0, seed = 17;
  for (int round = 0; round < ROUNDS; round++) {
    uint8_t *code = arena + (round / 1000 % 16) * 64;
    if (round % 1000 == 0) {
      for (uint32_t i = 0; i < sizeof routine; i++) ((volatile uint8_t *)code)[i] = routine[i];
    }
    write32(code + FIRST, next_random(&seed));
    if (round % 2 == 0) write32(code + SECOND, round);
    uint32_t (*call)(uint32_t) = (uint32_t(*)(uint32_t))code;
    for (uint32_t i = 0; i < CALLS; i++) checksum = fold(checksum, call(i));
  }
  return checksum;
}
