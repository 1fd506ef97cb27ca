/*
 * UDP, and the echo service.
 * Source: RFC 768; RFC 862; RFC 1122, 4.1 "User Datagram Protocol".
 */
#include "udp.h"

#include "checksum.h"
#include "counters.h"
#include "dhcp.h"
#include "icmp.h"
#include "memory.h"

#define ECHO_PORT 7

struct udp_header {
  be16 source_port, destination_port, length, checksum;
};

/* The datagram goes back; not to another echo service, or they would keep each other busy for ever. */
static void echo(const struct datagram *datagram) {
  if (datagram->is_broadcast || datagram->source_port == ECHO_PORT || !datagram->source_port) return;
  struct packet *packet = packet_take();
  if (!packet) return;
  memcpy(udp_payload(packet), datagram->data, datagram->length);
  udp_send(packet, datagram->source, ECHO_PORT, datagram->source_port, datagram->length);
}

/* Who takes the datagrams of a port. */
static const struct {
  uint16_t port;
  void (*receive)(const struct datagram *);
} services[] = {
    {ECHO_PORT, echo},
    {DHCP_CLIENT_PORT, dhcp_receive},
};

void udp_receive(const struct ip_packet *packet) {
  const struct udp_header *udp = (const void *)packet->payload;
  unsigned length = packet->length < sizeof *udp ? 0 : from16(udp->length);
  if (length < sizeof *udp || length > packet->length) {
    counters.malformed++;
    return;
  }
  /* A checksum of 0 says that there is none. */
  uint32_t destination = from32(packet->header->destination);
  uint32_t sum = pseudo_header_sum(packet->source, destination, PROTOCOL_UDP, length);
  if (from16(udp->checksum) && checksum_of(sum_of(udp, length, sum))) {
    counters.malformed++;
    return;
  }
  counters.datagrams++;
  struct datagram datagram = {
      .source = packet->source,
      .source_port = from16(udp->source_port),
      .is_broadcast = packet->is_broadcast,
      .data = packet->payload + sizeof *udp,
      .length = length - sizeof *udp,
  };
  for (unsigned at = 0; at < sizeof services / sizeof services[0]; at++) {
    if (services[at].port != from16(udp->destination_port)) continue;
    services[at].receive(&datagram);
    return;
  }
  icmp_unreachable(packet, UNREACHABLE_PORT);
}

void udp_send(struct packet *packet, uint32_t destination, unsigned source_port, unsigned destination_port,
              unsigned data_length) {
  struct udp_header *udp = (void *)ip_payload(packet);
  unsigned length = sizeof *udp + data_length;
  udp->source_port = to16(source_port);
  udp->destination_port = to16(destination_port);
  udp->length = to16(length);
  udp->checksum = to16(0);
  uint32_t sum = pseudo_header_sum(ip_host.address, destination, PROTOCOL_UDP, length);
  uint16_t checksum = checksum_of(sum_of(udp, length, sum));
  udp->checksum = to16(checksum ? checksum : 0xffff);
  ip_send(packet, destination, PROTOCOL_UDP, length);
}
