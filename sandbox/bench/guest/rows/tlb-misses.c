/* A word in each of many pages, and CR3 loaded now and then: nearly every access needs a page walk. */
#include "../paging.h"
#include "../rows.h"

#define ROUNDS 1000
#define TOUCHES 512
/* Odd, so that all pages of the window come in turn. */
#define STRIDE 1237

uint32_t tlb_misses(void) {
  uint32_t checksum = 0, page = 0, seed = 13;
  for (uint32_t i = 0; i < sizeof arena; i += 4) *(uint32_t *)(arena + i) = next_random(&seed);
  for (uint32_t round = 0; round < ROUNDS; round++) {
    forget_translations();
    for (uint32_t touch = 0; touch < TOUCHES; touch++) {
      volatile uint32_t *word = (uint32_t *)(WINDOW + page * 4096 + (touch * 4 & 0xffc));
      if (touch % 4 == 0) *word += round;
      checksum = fold(checksum, *word);
      page = (page + STRIDE) % WINDOW_PAGES;
    }
  }
  return checksum;
}
