/* Two-level page tables of 4 KiB pages (SDM vol. 3A, 4.3 "32-bit paging"). */
#include "paging.h"
#include "rows.h"

#define PRESENT_WRITABLE 0x003
#define CR0_PG 0x80000000u
#define IDENTITY_TABLES 2

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t identity[IDENTITY_TABLES * 1024] __attribute__((aligned(4096)));
static uint32_t window[WINDOW_PAGES] __attribute__((aligned(4096)));

void enable_paging(void) {
  for (uint32_t page = 0; page < IDENTITY_TABLES * 1024; page++) {
    identity[page] = page << 12 | PRESENT_WRITABLE;
  }
  const uint32_t arena_pages = sizeof arena / 4096;
  for (uint32_t page = 0; page < WINDOW_PAGES; page++) {
    window[page] = ((uint32_t)arena + (page % arena_pages) * 4096) | PRESENT_WRITABLE;
  }
  for (uint32_t table = 0; table < IDENTITY_TABLES; table++) {
    directory[table] = (uint32_t)&identity[table * 1024] | PRESENT_WRITABLE;
  }
  for (uint32_t table = 0; table < WINDOW_PAGES / 1024; table++) {
    directory[(WINDOW >> 22) + table] = (uint32_t)&window[table * 1024] | PRESENT_WRITABLE;
  }
  uint32_t cr0;
  __asm__ volatile(
      "mov %1, %%cr3\n\t"
      "mov %%cr0, %0\n\t"
      "or %2, %0\n\t"
      "mov %0, %%cr0\n\t"
      "jmp 1f\n"
      "1:"
      : "=&r"(cr0)
      : "r"(directory), "i"(CR0_PG)
      : "memory");
}
