#ifndef ARP_H
#define ARP_H

#include <stdint.h>

#include "packet.h"

void arp_receive(const uint8_t *bytes, unsigned length);
/* Sends an IP packet of `length` bytes to a neighbour, once its card's address is known. */
void arp_send_ip(struct packet *packet, uint32_t neighbour, unsigned length);
/* Tells all neighbours our address (RFC 5227, 3). */
void arp_announce(void);
/* Once a second: asks again, and forgets. */
void arp_second(void);
void arp_print(void);

#endif
