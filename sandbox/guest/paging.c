/*
 * Two-level paging: memory mapped to itself by 4 MiB pages, and a zone that is filled on demand.
 * Source: Intel SDM vol. 3A, 4.3 "32-Bit Paging", 4.7 "Page-Fault Exceptions".
 */
#include "paging.h"

#include "serial.h"

#define PRESENT 0x001
#define WRITABLE 0x002
#define WRITE_THROUGH 0x008
#define CACHE_DISABLED 0x010
#define LARGE 0x080

#define LARGE_PAGE 0x400000u
#define PAGE 4096u
#define CR0_PG 0x80000000u
#define CR0_WP 0x00010000u
#define CR4_PSE 0x00000010u

#define ERROR_PRESENT 0x1
#define ERROR_WRITE 0x2

static uint32_t directory[1024] __attribute__((aligned(4096)));
static uint32_t demand_table[DEMAND_PAGES] __attribute__((aligned(4096)));
static uint8_t frames[16][PAGE] __attribute__((aligned(4096)));
static unsigned frames_used;
static bool is_on;

void paging_start(uint32_t end) {
  if (end > DEMAND_ZONE) end = DEMAND_ZONE;
  for (uint32_t address = 0; address < end; address += LARGE_PAGE) {
    directory[address / LARGE_PAGE] = address | LARGE | WRITABLE | PRESENT;
  }
  directory[DEMAND_ZONE / LARGE_PAGE] = (uint32_t)demand_table | WRITABLE | PRESENT;
  uint32_t cr4, cr0;
  __asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
  __asm__ volatile("mov %0, %%cr4" : : "r"(cr4 | CR4_PSE));
  __asm__ volatile("mov %0, %%cr3" : : "r"(directory));
  __asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
  __asm__ volatile("mov %0, %%cr0" : : "r"(cr0 | CR0_PG | CR0_WP) : "memory");
  is_on = true;
}

bool paging_is_on(void) {
  return is_on;
}

void map_device(uint32_t address) {
  uint32_t *entry = &directory[address / LARGE_PAGE];
  if (*entry) return;
  *entry = (address & ~(LARGE_PAGE - 1)) | LARGE | CACHE_DISABLED | WRITE_THROUGH | WRITABLE | PRESENT;
}

bool repair_page_fault(uint32_t error_code) {
  uint32_t address;
  __asm__ volatile("mov %%cr2, %0" : "=r"(address));
  if (error_code & ERROR_PRESENT) return false;
  if (address < DEMAND_ZONE || address >= DEMAND_ZONE + DEMAND_PAGES * PAGE) return false;
  if (frames_used == sizeof frames / PAGE) {
    print("page fault at %x: no frame is left\n", address);
    return false;
  }
  uint32_t frame = (uint32_t)frames[frames_used++];
  demand_table[(address - DEMAND_ZONE) / PAGE] = frame | WRITABLE | PRESENT;
  print("page fault at %x, %s: frame %x put there\n", address,
        error_code & ERROR_WRITE ? "a write" : "a read", frame);
  return true;
}

unsigned demand_pages(void) {
  return frames_used;
}
