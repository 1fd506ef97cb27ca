/*
 * ARP: which card has an IP address.
 * Source: RFC 826; RFC 1122, 2.3.2 "Address Resolution Protocol".
 */
#include "arp.h"

#include <stdbool.h>
#include <stddef.h>

#include "card.h"
#include "counters.h"
#include "ethernet.h"
#include "ip.h"
#include "memory.h"
#include "serial.h"

#define HARDWARE_ETHERNET 1
#define REQUEST 1
#define REPLY 2

#define NEIGHBOURS 8
#define MOST_QUESTIONS 3
#define SECONDS_KNOWN 60

struct arp_packet {
  be16 hardware, protocol;
  uint8_t hardware_length, protocol_length;
  be16 operation;
  uint8_t sender_mac[6];
  be32 sender;
  uint8_t target_mac[6];
  be32 target;
};

/* `address` 0 is a free place. A packet waits for the answer, the newest one (RFC 1122, 2.3.2.2). */
struct neighbour {
  uint32_t address;
  bool is_known;
  uint8_t mac[6];
  unsigned seconds, questions;
  struct packet *waiting;
  unsigned waiting_length;
};

static struct neighbour neighbours[NEIGHBOURS];

static struct neighbour *find(uint32_t address) {
  for (struct neighbour *at = neighbours; at < neighbours + NEIGHBOURS; at++) {
    if (at->address == address) return at;
  }
  return NULL;
}

static void forget(struct neighbour *neighbour) {
  if (neighbour->waiting) packet_free(neighbour->waiting);
  memset(neighbour, 0, sizeof *neighbour);
}

/* A free place, or that of whom we have not heard of for the longest time. */
static struct neighbour *place_for(uint32_t address) {
  struct neighbour *place = neighbours;
  for (struct neighbour *at = neighbours; at < neighbours + NEIGHBOURS; at++) {
    if (!at->address) {
      place = at;
      break;
    }
    if (at->seconds > place->seconds) place = at;
  }
  forget(place);
  place->address = address;
  return place;
}

static void send(unsigned operation, const uint8_t *destination, const uint8_t *target_mac, uint32_t target) {
  static const uint8_t nobody[6];
  struct packet *packet = packet_take();
  if (!packet) return;
  struct arp_packet *arp = (void *)ethernet_payload(packet);
  arp->hardware = to16(HARDWARE_ETHERNET);
  arp->protocol = to16(ETHERTYPE_IP);
  arp->hardware_length = sizeof arp->sender_mac;
  arp->protocol_length = sizeof arp->sender;
  arp->operation = to16(operation);
  memcpy(arp->sender_mac, card_mac, sizeof arp->sender_mac);
  arp->sender = to32(ip_host.address);
  memcpy(arp->target_mac, target_mac ? target_mac : nobody, sizeof arp->target_mac);
  arp->target = to32(target);
  ethernet_send(packet, destination, ETHERTYPE_ARP, sizeof *arp);
}

static void ask(struct neighbour *neighbour) {
  neighbour->questions++;
  send(REQUEST, ethernet_broadcast, NULL, neighbour->address);
}

void arp_announce(void) {
  send(REQUEST, ethernet_broadcast, NULL, ip_host.address);
}

static void learn(struct neighbour *neighbour, const uint8_t *mac) {
  neighbour->is_known = true;
  neighbour->seconds = neighbour->questions = 0;
  memcpy(neighbour->mac, mac, sizeof neighbour->mac);
  if (neighbour->waiting) {
    ethernet_send(neighbour->waiting, mac, ETHERTYPE_IP, neighbour->waiting_length);
    neighbour->waiting = NULL;
  }
}

/* The steps of RFC 826, "Packet Reception". */
void arp_receive(const uint8_t *bytes, unsigned length) {
  const struct arp_packet *arp = (const void *)bytes;
  if (length < sizeof *arp || from16(arp->hardware) != HARDWARE_ETHERNET ||
      from16(arp->protocol) != ETHERTYPE_IP || arp->hardware_length != sizeof arp->sender_mac ||
      arp->protocol_length != sizeof arp->sender) {
    counters.malformed++;
    return;
  }
  uint32_t sender = from32(arp->sender);
  /* Nobody has the address 0 (a probe, RFC 5227), a group or ours. */
  if (!sender || !ip_host.address || sender == ip_host.address || arp->sender_mac[0] & 1) return;
  struct neighbour *neighbour = find(sender);
  if (neighbour) learn(neighbour, arp->sender_mac);
  if (from32(arp->target) != ip_host.address) return;
  if (from16(arp->operation) != REQUEST) return;
  if (!neighbour) learn(place_for(sender), arp->sender_mac);
  send(REPLY, arp->sender_mac, arp->sender_mac, sender);
}

void arp_send_ip(struct packet *packet, uint32_t address, unsigned length) {
  struct neighbour *neighbour = find(address);
  if (neighbour && neighbour->is_known) {
    ethernet_send(packet, neighbour->mac, ETHERTYPE_IP, length);
    return;
  }
  bool is_new = !neighbour;
  if (is_new) neighbour = place_for(address);
  if (neighbour->waiting) packet_free(neighbour->waiting);
  neighbour->waiting = packet;
  neighbour->waiting_length = length;
  if (is_new) ask(neighbour);
}

/* RFC 1122, 2.3.2.1: what is known grows stale; questions are repeated no faster than once a second. */
void arp_second(void) {
  for (struct neighbour *at = neighbours; at < neighbours + NEIGHBOURS; at++) {
    if (!at->address) continue;
    at->seconds++;
    if (at->is_known ? at->seconds > SECONDS_KNOWN : at->questions >= MOST_QUESTIONS) forget(at);
    else if (!at->is_known) ask(at);
  }
}

void arp_print(void) {
  for (const struct neighbour *at = neighbours; at < neighbours + NEIGHBOURS; at++) {
    if (at->is_known) print("neighbour %i is at %m\n", at->address, at->mac);
  }
}
