#ifndef DHCP_H
#define DHCP_H

#include "udp.h"

#define DHCP_CLIENT_PORT 68

/* Begins to ask for an address; the answers come by and by. */
void dhcp_start(void);
void dhcp_receive(const struct datagram *datagram);
/* Once a second: asks again, renews, or gives the address back when its time is over. */
void dhcp_second(void);
/* The address and where it is from, in a line: for the prompt and for the page. */
struct text;
void dhcp_describe(struct text *text);

#endif
