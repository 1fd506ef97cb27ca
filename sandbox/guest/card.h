#ifndef CARD_H
#define CARD_H

#include <stdbool.h>
#include <stdint.h>

#include "packet.h"

extern uint8_t card_mac[6];

/* Looks for the card and sets it to work. */
bool card_start(void);
/* Hands the frames that came, if any, to ethernet_receive. */
void card_poll(void);
/* The first `length` bytes of the packet's frame. The packet is the card's from now on. */
void card_send(struct packet *packet, unsigned length);
/* Address, features, rings: in lines. */
void card_print(void);

#endif
