#ifndef PAGING_H
#define PAGING_H

#include <stdint.h>

/* Addresses that have no page until somebody touches them. */
#define DEMAND_ZONE 0x40000000u
#define DEMAND_PAGES 1024

/* Maps the memory below `end`, at most up to the demand zone, to itself and turns paging on. */
void paging_start(uint32_t end);
int paging_is_on(void);
/* Gives a missing page of the demand zone a frame. Returns 0 for a fault that is none of those. */
int repair_page_fault(uint32_t error_code);
/* How many pages the demand zone has got. */
unsigned demand_pages(void);

#endif
