#ifndef ICMP_H
#define ICMP_H

#include "ip.h"

#define UNREACHABLE_PROTOCOL 2
#define UNREACHABLE_PORT 3

void icmp_receive(const struct ip_packet *packet);
/* Tells who sent a packet that nobody takes it. */
void icmp_unreachable(const struct ip_packet *packet, unsigned code);

/* Sends echo requests, one a second, and prints what comes back; Ctrl-C ends it. */
void ping(uint32_t destination, unsigned count);

#endif
