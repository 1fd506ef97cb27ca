#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stdint.h>

/* Addresses that have no page until somebody touches them. */
#define DEMAND_ZONE 0x40000000u
#define DEMAND_PAGES 1024

/* Maps the memory below `end`, at most up to the demand zone, to itself and turns paging on. */
void paging_start(uint32_t end);
bool paging_is_on(void);
/* Lets a device's registers be reached, past the caches; with paging or without. */
void map_device(uint32_t address);
/* Gives a missing page of the demand zone a frame. Returns false for a fault that is none of those. */
bool repair_page_fault(uint32_t error_code);
/* How many pages the demand zone has got. */
unsigned demand_pages(void);

#endif
