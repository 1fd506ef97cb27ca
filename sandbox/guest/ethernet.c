/*
 * Ethernet frames: who to, who from, and whose they are.
 * Source: RFC 894; IEEE 802.3, 3.1.1.
 */
#include "ethernet.h"

#include "arp.h"
#include "card.h"
#include "counters.h"
#include "ip.h"
#include "memory.h"

#define SMALLEST_FRAME 60 /* without its check sequence */

struct ethernet_header {
  uint8_t destination[6], source[6];
  be16 type;
};

const uint8_t ethernet_broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

void ethernet_receive(const uint8_t *frame, unsigned length) {
  const struct ethernet_header *header = (const void *)frame;
  if (length < ETHERNET_HEADER) {
    counters.malformed++;
    return;
  }
  /* The group bit of an address is the first on the wire. */
  if (!(header->destination[0] & 1) && memcmp(header->destination, card_mac, sizeof card_mac)) {
    counters.for_others++;
    return;
  }
  switch (from16(header->type)) {
    case ETHERTYPE_ARP:
      arp_receive(frame + ETHERNET_HEADER, length - ETHERNET_HEADER);
      break;
    case ETHERTYPE_IP:
      ip_receive(frame + ETHERNET_HEADER, length - ETHERNET_HEADER);
      break;
    default:
      counters.unknown++;
  }
}

void ethernet_send(struct packet *packet, const uint8_t *destination, unsigned type, unsigned length) {
  struct ethernet_header *header = (void *)packet->frame;
  memcpy(header->destination, destination, sizeof header->destination);
  memcpy(header->source, card_mac, sizeof header->source);
  header->type = to16(type);
  unsigned end = ETHERNET_HEADER + length;
  if (end < SMALLEST_FRAME) {
    memset(packet->frame + end, 0, SMALLEST_FRAME - end);
    end = SMALLEST_FRAME;
  }
  card_send(packet, end);
}
