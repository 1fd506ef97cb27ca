/*
 * Numbers as they travel: big endian, and at any address. They are types of their own, so that the compiler
 * tells them from the processor's numbers, and headers made of them have no gaps.
 * Source: RFC 1700, "Data Notations".
 */
#ifndef BYTES_H
#define BYTES_H

#include <stdint.h>

typedef struct {
  uint8_t bytes[2];
} be16;

typedef struct {
  uint8_t bytes[4];
} be32;

static inline uint16_t from16(be16 value) {
  return (uint16_t)(value.bytes[0] << 8 | value.bytes[1]);
}

static inline be16 to16(unsigned value) {
  return (be16){{(uint8_t)(value >> 8), (uint8_t)value}};
}

static inline uint32_t from32(be32 value) {
  return (uint32_t)value.bytes[0] << 24 | value.bytes[1] << 16 | value.bytes[2] << 8 | value.bytes[3];
}

static inline be32 to32(uint32_t value) {
  return (be32){{(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value}};
}

static inline unsigned smaller(unsigned one, unsigned other) {
  return one < other ? one : other;
}

#endif
