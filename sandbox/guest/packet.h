/*
 * Packets on their way out. The layer that has something to say takes one and writes its bytes to where they
 * will lie in the frame; each layer below puts its header in front, and the card gives the packet back.
 */
#ifndef PACKET_H
#define PACKET_H

#include <stdint.h>

#define ETHERNET_HEADER 14
#define ETHERNET_PAYLOAD 1500
#define FRAME_SIZE (ETHERNET_HEADER + ETHERNET_PAYLOAD)
#define IP_HEADER 20
#define UDP_HEADER 8
#define TCP_HEADER 20

/* What the device wants in front of a frame: all zero, as nothing is left to it (VIRTIO 1.2, 5.1.6). */
#define CARD_HEADER 12

struct packet {
  struct packet *next;
  uint8_t card_header[CARD_HEADER];
  uint8_t frame[FRAME_SIZE];
};

/* NULL if all are on their way: the network is busy, and what was to be sent is lost. */
struct packet *packet_take(void);
void packet_free(struct packet *packet);

static inline uint8_t *ethernet_payload(struct packet *packet) {
  return packet->frame + ETHERNET_HEADER;
}

static inline uint8_t *ip_payload(struct packet *packet) {
  return ethernet_payload(packet) + IP_HEADER;
}

#endif
