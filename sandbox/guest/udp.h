#ifndef UDP_H
#define UDP_H

#include "ip.h"

struct datagram {
  uint32_t source;
  uint16_t source_port;
  bool is_broadcast;
  const uint8_t *data;
  unsigned length;
};

void udp_receive(const struct ip_packet *packet);
/* Where the data of a datagram to send lie. */
static inline uint8_t *udp_payload(struct packet *packet) {
  return ip_payload(packet) + UDP_HEADER;
}
void udp_send(struct packet *packet, uint32_t destination, unsigned source_port, unsigned destination_port,
              unsigned length);

#endif
