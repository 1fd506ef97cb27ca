/*
 * The rows of the benchmark. Each does a fixed amount of work and returns a checksum of all of it.
 * The amounts are set so that an interpreter takes some tenths of a second for each row.
 */
#ifndef ROWS_H
#define ROWS_H

#include <stdint.h>

uint32_t sieve(void);
uint32_t calls(void);
uint32_t sha256(void);
uint32_t crc32(void);
uint32_t quicksort(void);
uint32_t copy_loop(void);
uint32_t rep_movs(void);
uint32_t arithmetic64(void);
uint32_t x87(void);
uint32_t tlb_misses(void);
uint32_t self_modifying(void);
uint32_t port_io(void);

/* Rows that need memory share it: 1 MiB, page aligned. */
extern uint8_t arena[1 << 20];

/* The random numbers of the rows: Numerical Recipes' linear congruential generator. */
static inline uint32_t next_random(uint32_t *seed) {
  return *seed = *seed * 1664525 + 1013904223;
}

/* Folds a value into a checksum, so that order counts. */
static inline uint32_t fold(uint32_t checksum, uint32_t value) {
  return ((checksum << 5) | (checksum >> 27)) ^ value;
}

#endif
