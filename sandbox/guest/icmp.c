/*
 * ICMP: answers echo requests, sends its own, and says what is unreachable.
 * Source: RFC 792; RFC 1122, 3.2.2 "Internet Control Message Protocol".
 */
#include "icmp.h"

#include "checksum.h"
#include "counters.h"
#include "memory.h"
#include "network.h"
#include "serial.h"
#include "timer.h"

#define ECHO_REPLY 0
#define UNREACHABLE 3
#define ECHO_REQUEST 8

#define OUR_IDENTIFIER 0x766d
#define PING_BYTES 56
#define BYTES_OF_CAUSE 8 /* of the packet that caused a message, behind its header */

struct icmp_header {
  uint8_t type, code;
  be16 checksum, identifier, sequence;
};

/* The ping that is going on. */
static struct {
  uint32_t destination, sent_at;
  uint16_t sequence;
  bool is_answered;
  unsigned received;
} current;

static void send(struct packet *packet, uint32_t destination, unsigned length) {
  struct icmp_header *icmp = (void *)ip_payload(packet);
  icmp->checksum = to16(0);
  icmp->checksum = to16(checksum_of(sum_of(icmp, length, 0)));
  ip_send(packet, destination, PROTOCOL_ICMP, length);
}

/* A request goes back as it came, but for its type. */
static void answer(const struct ip_packet *request) {
  struct packet *packet = packet_take();
  if (!packet) return;
  memcpy(ip_payload(packet), request->payload, request->length);
  ((struct icmp_header *)ip_payload(packet))->type = ECHO_REPLY;
  counters.echoes_answered++;
  send(packet, request->source, request->length);
}

static void take_answer(const struct ip_packet *packet) {
  const struct icmp_header *icmp = (const void *)packet->payload;
  if (from16(icmp->identifier) != OUR_IDENTIFIER || from16(icmp->sequence) != current.sequence ||
      packet->source != current.destination || current.is_answered) {
    return;
  }
  current.is_answered = true;
  current.received++;
  print("%u bytes from %i: seq %u, ttl %u, %k ms\n", packet->length, packet->source, current.sequence,
        packet->time_to_live, microseconds(timer_counts() - current.sent_at));
}

void icmp_receive(const struct ip_packet *packet) {
  const struct icmp_header *icmp = (const void *)packet->payload;
  if (packet->length < sizeof *icmp || checksum_of(sum_of(icmp, packet->length, 0))) {
    counters.malformed++;
    return;
  }
  if (icmp->type == ECHO_REPLY) take_answer(packet);
  /* Everybody's echo is nobody's (RFC 1122, 3.2.2.6). */
  else if (icmp->type == ECHO_REQUEST && !packet->is_broadcast && ip_host.address) answer(packet);
}

void icmp_unreachable(const struct ip_packet *cause, unsigned code) {
  if (cause->is_broadcast || !ip_host.address) return;
  struct packet *packet = packet_take();
  if (!packet) return;
  struct icmp_header *icmp = (void *)ip_payload(packet);
  memset(icmp, 0, sizeof *icmp);
  icmp->type = UNREACHABLE;
  icmp->code = (uint8_t)code;
  unsigned header = (unsigned)(cause->payload - (const uint8_t *)cause->header);
  unsigned length = header + smaller(cause->length, BYTES_OF_CAUSE);
  memcpy(icmp + 1, cause->header, length);
  send(packet, cause->source, sizeof *icmp + length);
}

static void send_request(void) {
  struct packet *packet = packet_take();
  if (!packet) return;
  struct icmp_header *icmp = (void *)ip_payload(packet);
  icmp->type = ECHO_REQUEST;
  icmp->code = 0;
  icmp->identifier = to16(OUR_IDENTIFIER);
  icmp->sequence = to16(current.sequence);
  uint8_t *data = (uint8_t *)(icmp + 1);
  for (unsigned at = 0; at < PING_BYTES; at++) data[at] = (uint8_t)at;
  current.sent_at = timer_counts();
  send(packet, current.destination, sizeof *icmp + PING_BYTES);
}

void ping(uint32_t destination, unsigned count) {
  unsigned sent = 0;
  current.destination = destination;
  current.received = 0;
  while (sent < count) {
    current.sequence = (uint16_t)++sent;
    current.is_answered = false;
    send_request();
    uint32_t start = ticks;
    bool is_last = sent == count;
    while (ticks - start < TICKS_A_SECOND && !(is_last && current.is_answered)) {
      if (serial_take_stop()) {
        count = sent;
        break;
      }
      network_idle();
    }
    if (!current.is_answered) print("no answer to seq %u\n", current.sequence);
  }
  current.destination = 0;
  print("%u sent, %u received\n", sent, current.received);
}
