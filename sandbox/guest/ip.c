/*
 * IPv4 of a host with one card: no options are sent, no fragments are put together.
 * Source: RFC 791; RFC 1122, 3.2 "Protocol Walk-Through".
 */
#include "ip.h"

#include "arp.h"
#include "checksum.h"
#include "counters.h"
#include "ethernet.h"
#include "icmp.h"
#include "tcp.h"
#include "udp.h"

#define VERSION_4_NO_OPTIONS 0x45
#define DONT_FRAGMENT 0x4000
#define MORE_FRAGMENTS_AND_OFFSET 0x3fff
#define MULTICAST 0xe0000000u /* and above: groups, reserved, broadcast */

struct ip_host ip_host;

static uint16_t identification;

/* Of a net of two hosts or one (RFC 3021) no address is left for everybody. */
static bool is_broadcast_address(uint32_t address) {
  uint32_t host_bits = ~ip_host.mask;
  return address == IP_BROADCAST || (host_bits > 1 && address == (ip_host.address | host_bits));
}

void ip_receive(const uint8_t *bytes, unsigned room) {
  const struct ip_header *header = (const void *)bytes;
  unsigned header_length = (header->version_length & 0x0f) * 4u;
  if (room < sizeof *header || header->version_length >> 4 != 4 || header_length < sizeof *header ||
      from16(header->length) < header_length || from16(header->length) > room ||
      checksum_of(sum_of(header, header_length, 0))) {
    counters.malformed++;
    return;
  }
  struct ip_packet packet = {
      .header = header,
      .source = from32(header->source),
      .is_broadcast = is_broadcast_address(from32(header->destination)),
      .time_to_live = header->time_to_live,
      .payload = bytes + header_length,
      .length = from16(header->length) - header_length,
  };
  /* Who has no address yet takes what comes to its card: it may be the address (RFC 2131, 4.1). */
  if (ip_host.address && from32(header->destination) != ip_host.address && !packet.is_broadcast) {
    counters.for_others++;
    return;
  }
  /* No host is nobody, a group or everybody (RFC 1122, 3.2.1.3); fragments would have to wait for each other. */
  if (!packet.source || packet.source >= MULTICAST || (ip_host.address && is_broadcast_address(packet.source)) ||
      from16(header->fragment) & MORE_FRAGMENTS_AND_OFFSET) {
    counters.unknown++;
    return;
  }
  switch (header->protocol) {
    case PROTOCOL_ICMP:
      icmp_receive(&packet);
      break;
    case PROTOCOL_TCP:
      tcp_receive(&packet);
      break;
    case PROTOCOL_UDP:
      udp_receive(&packet);
      break;
    default:
      counters.unknown++;
      icmp_unreachable(&packet, UNREACHABLE_PROTOCOL);
  }
}

void ip_send(struct packet *packet, uint32_t destination, unsigned protocol, unsigned length) {
  struct ip_header *header = (void *)ethernet_payload(packet);
  header->version_length = VERSION_4_NO_OPTIONS;
  header->service = 0;
  header->length = to16(IP_HEADER + length);
  header->identification = to16(identification++);
  header->fragment = to16(DONT_FRAGMENT);
  header->time_to_live = TIME_TO_LIVE;
  header->protocol = (uint8_t)protocol;
  header->checksum = to16(0);
  header->source = to32(ip_host.address);
  header->destination = to32(destination);
  header->checksum = to16(checksum_of(sum_of(header, IP_HEADER, 0)));
  if (is_broadcast_address(destination)) {
    ethernet_send(packet, ethernet_broadcast, ETHERTYPE_IP, IP_HEADER + length);
    return;
  }
  bool is_near = (destination & ip_host.mask) == (ip_host.address & ip_host.mask);
  uint32_t next_hop = is_near ? destination : ip_host.gateway;
  if (next_hop && ip_host.address) arp_send_ip(packet, next_hop, IP_HEADER + length);
  else packet_free(packet);
}
