#ifndef NETWORK_H
#define NETWORK_H

#include <stdbool.h>
#include <stdint.h>

/* Finds the card and an address, and says so. */
void network_start(void);
bool network_is_there(void);
/* For whoever waits: does what there is to do in the network, or else sleeps until the next interrupt. */
void network_idle(void);
/* All there is to know: for the prompt. */
void network_print(void);

/* Not for secrets. */
uint32_t random_number(void);

#endif
