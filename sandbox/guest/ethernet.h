#ifndef ETHERNET_H
#define ETHERNET_H

#include "bytes.h"
#include "packet.h"

#define ETHERTYPE_IP 0x0800
#define ETHERTYPE_ARP 0x0806

extern const uint8_t ethernet_broadcast[6];

void ethernet_receive(const uint8_t *frame, unsigned length);
/* Puts the header in front of `length` bytes of payload. */
void ethernet_send(struct packet *packet, const uint8_t *destination, unsigned type, unsigned length);

#endif
