/* The pool of packets. */
#include "packet.h"

#include <stddef.h>

static struct packet packets[32];
static unsigned packets_ever_taken;
static struct packet *free_packets;

struct packet *packet_take(void) {
  struct packet *packet = free_packets;
  if (packet) free_packets = packet->next;
  else if (packets_ever_taken < sizeof packets / sizeof packets[0]) packet = &packets[packets_ever_taken++];
  return packet;
}

void packet_free(struct packet *packet) {
  packet->next = free_packets;
  free_packets = packet;
}
