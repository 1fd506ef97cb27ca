/* The Internet checksum. Source: RFC 1071. */
#include "checksum.h"

uint32_t sum_of(const void *bytes, unsigned length, uint32_t sum) {
  const uint8_t *at = bytes;
  for (; length > 1; length -= 2, at += 2) sum += (uint32_t)(at[0] << 8 | at[1]);
  if (length) sum += (uint32_t)(at[0] << 8);
  return sum;
}

uint32_t pseudo_header_sum(uint32_t one, uint32_t other, unsigned protocol, unsigned length) {
  return (one >> 16) + (one & 0xffff) + (other >> 16) + (other & 0xffff) + protocol + length;
}

uint16_t checksum_of(uint32_t sum) {
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return (uint16_t)~sum;
}
