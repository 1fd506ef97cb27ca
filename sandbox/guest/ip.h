#ifndef IP_H
#define IP_H

#include <stdbool.h>

#include "bytes.h"
#include "packet.h"

#define PROTOCOL_ICMP 1
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

#define IP_BROADCAST 0xffffffffu
#define TIME_TO_LIVE 64

struct ip_header {
  uint8_t version_length, service;
  be16 length, identification, fragment;
  uint8_t time_to_live, protocol;
  be16 checksum;
  be32 source, destination;
};

/* Who we are; `address` is 0 until somebody has told. */
struct ip_host {
  uint32_t address, mask, gateway;
};
extern struct ip_host ip_host;

/* A packet that came, checked and for us. */
struct ip_packet {
  const struct ip_header *header;
  uint32_t source;
  bool is_broadcast;
  uint8_t time_to_live;
  const uint8_t *payload;
  unsigned length;
};

void ip_receive(const uint8_t *bytes, unsigned length);
/* Puts the header in front of `length` bytes of ip_payload. */
void ip_send(struct packet *packet, uint32_t destination, unsigned protocol, unsigned length);

#endif
