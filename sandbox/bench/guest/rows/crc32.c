/* CRC-32 (IEEE 802.3) of 256 KiB of random bytes, bit by bit: shifts and jumps that nobody can predict. */
#include "../rows.h"

#define LENGTH (256u << 10)

uint32_t crc32(void) {
  uint32_t seed = 32;
  for (uint32_t i = 0; i < LENGTH; i++) arena[i] = next_random(&seed) >> 24;
  uint32_t crc = ~0u;
  for (uint32_t i = 0; i < LENGTH; i++) {
    crc ^= arena[i];
    for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320 : crc >> 1;
  }
  return ~crc;
}
