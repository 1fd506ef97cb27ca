#ifndef PAGING_H
#define PAGING_H

#include <stdint.h>

/* The first 8 MiB of memory, where they are; and WINDOW_PAGES pages that all lie in `arena`. */
#define WINDOW 0x40000000u
#define WINDOW_PAGES 16384

void enable_paging(void);

/* Loads CR3 with what it holds: the processor forgets its translations. */
static inline void forget_translations(void) {
  uint32_t cr3;
  __asm__ volatile("mov %%cr3, %0\n\tmov %0, %%cr3" : "=r"(cr3) : : "memory");
}

#endif
