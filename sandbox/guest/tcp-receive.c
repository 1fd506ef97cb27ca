/*
 * TCP: what becomes of a segment that comes in.
 * Source: RFC 9293, 3.10.7 "Segment Arrives"; RFC 5961, 3 and 4, against blind resets.
 */
#include <stddef.h>

#include "checksum.h"
#include "counters.h"
#include "tcp-state.h"

#define OPTION_END 0
#define OPTION_NONE 1
#define OPTION_SEGMENT_SIZE 2

struct segment {
  uint32_t address;
  uint16_t port, our_port;
  unsigned flags;
  uint32_t sequence, acknowledgment;
  unsigned window;
  const uint8_t *options, *data;
  unsigned length;
};

/* The answer to a segment that should not be (3.10.7.1); never to a reset. */
static void refuse(const struct segment *segment) {
  if (segment->flags & RST) return;
  bool acknowledges = !(segment->flags & ACK);
  uint32_t next = segment->sequence + segment->length + !!(segment->flags & SYN) + !!(segment->flags & FIN);
  tcp_send_reset(segment->address, segment->port, segment->our_port,
                 acknowledges ? 0 : segment->acknowledgment, acknowledges ? next : 0, acknowledges);
}

/* The other side's segment size, among the options of a SYN (3.7.1). */
static void read_options(struct connection *connection, const struct segment *segment) {
  const uint8_t *at = segment->options;
  while (at < segment->data && *at != OPTION_END) {
    if (*at == OPTION_NONE) {
      at++;
      continue;
    }
    if (segment->data - at < 2 || at[1] < 2 || segment->data - at < at[1]) return;
    if (*at == OPTION_SEGMENT_SIZE && at[1] == 4) {
      unsigned size = (unsigned)(at[2] << 8 | at[3]);
      connection->segment_size = size < 64 ? 64 : size; /* nobody is that poor (CVE-2019-11479) */
    }
    at += at[1];
  }
}

static void take_window(struct connection *connection, const struct segment *segment) {
  connection->send_window = segment->window;
  connection->window_sequence = segment->sequence;
  connection->window_acknowledgment = segment->acknowledgment;
}

/* 3.10.7.2: a SYN at a port that is listened at. */
static void accept(const struct segment *segment, const struct tcp_program *program) {
  struct connection *connection =
      tcp_open(segment->address, segment->port, segment->our_port, program, SYN_RECEIVED);
  if (!connection) return;
  connection->receive_next = segment->sequence + 1;
  read_options(connection, segment);
  tcp_begin_sending(connection);
  tcp_retransmit(connection);
}

/* 3.10.7.3: the answer to our SYN. */
static void arrive_in_syn_sent(struct connection *connection, const struct segment *segment) {
  bool acknowledges = segment->flags & ACK;
  if (acknowledges && segment->acknowledgment != connection->send_most) {
    refuse(segment);
    return;
  }
  if (segment->flags & RST) {
    if (acknowledges) tcp_break(connection);
    return;
  }
  if (!(segment->flags & SYN)) return;
  connection->receive_next = segment->sequence + 1;
  read_options(connection, segment);
  tcp_begin_sending(connection);
  if (!acknowledges) { /* both have called each other */
    connection->state = SYN_RECEIVED;
    tcp_retransmit(connection);
    return;
  }
  tcp_was_acknowledged(connection, segment->acknowledgment);
  take_window(connection, segment);
  connection->state = ESTABLISHED;
  tcp_send_acknowledgment(connection);
  connection->program->opened(connection);
  tcp_transmit(connection);
}

/* Step 1 of 3.10.7.4: whether any of it lies in our window. */
static bool is_acceptable(const struct connection *connection, const struct segment *segment) {
  uint32_t length = segment->length + !!(segment->flags & FIN) + !!(segment->flags & SYN);
  uint32_t first = segment->sequence - connection->receive_next, last = first + length - 1;
  return first < OUR_WINDOW || (length && last < OUR_WINDOW);
}

/* Cuts off what we have already. Returns false if something before it is missing. */
static bool trim(const struct connection *connection, struct segment *segment) {
  uint32_t old = connection->receive_next - segment->sequence;
  if (is_before(connection->receive_next, segment->sequence)) return false;
  if (old > segment->length) old = segment->length;
  segment->data += old;
  segment->length -= old;
  return true;
}

/* Step 5 of 3.10.7.4. Returns false if the segment ends there. */
static bool take_acknowledgment(struct connection *connection, const struct segment *segment) {
  uint32_t acknowledgment = segment->acknowledgment;
  bool is_new = is_before(connection->send_unacknowledged, acknowledgment);
  if (connection->state == SYN_RECEIVED) {
    if (acknowledgment != connection->send_most) {
      refuse(segment);
      return false;
    }
    connection->state = ESTABLISHED;
    take_window(connection, segment);
    tcp_was_acknowledged(connection, acknowledgment);
    connection->program->opened(connection);
    return true;
  }
  if (is_before(connection->send_most, acknowledgment)) { /* of what we never sent */
    tcp_send_acknowledgment(connection);
    return false;
  }
  if (is_before(acknowledgment, connection->send_unacknowledged)) return true; /* it was on its way for long */
  bool is_same_window = segment->window == connection->send_window;
  bool is_newer = is_before(connection->window_sequence, segment->sequence) ||
                  (connection->window_sequence == segment->sequence &&
                   !is_before(acknowledgment, connection->window_acknowledgment));
  if (is_newer) take_window(connection, segment);
  if (!connection->send_window) connection->timeouts = 0; /* it is full, but it lives */
  bool is_waiting = connection->send_unacknowledged != connection->send_most;
  if (is_new) tcp_was_acknowledged(connection, acknowledgment);
  else if (is_waiting && is_same_window && !segment->length) tcp_was_acknowledged_again(connection);
  return true;
}

/* What the acknowledgment of our FIN leads to. Returns false if the connection is over. */
static bool end_was_acknowledged(struct connection *connection) {
  switch (connection->state) {
    case FIN_WAIT_1:
      connection->state = FIN_WAIT_2;
      return true;
    case CLOSING:
      connection->state = TIME_WAIT;
      return true;
    case LAST_ACK:
      connection->state = CLOSED;
      return false;
    default:
      return true;
  }
}

/* Step 8 of 3.10.7.4: the other side has said all. */
static void take_end(struct connection *connection) {
  switch (connection->state) {
    case ESTABLISHED:
      connection->state = CLOSE_WAIT;
      connection->program->finished(connection);
      break;
    case FIN_WAIT_1:
      connection->state = CLOSING;
      connection->program->finished(connection);
      break;
    case FIN_WAIT_2:
      connection->state = TIME_WAIT;
      connection->program->finished(connection);
      break;
    default:
      break;
  }
}

/* Steps 7 and 8: data and the end, in their order. */
static void take_data(struct connection *connection, struct segment *segment) {
  bool has_end = segment->flags & FIN;
  if (!segment->length && !has_end) return;
  connection->owes_acknowledgment = true;
  bool may_have_data = connection->state <= FIN_WAIT_2 && connection->state != CLOSE_WAIT;
  if (may_have_data && trim(connection, segment)) {
    unsigned room = smaller(segment->length, OUR_WINDOW);
    if (room < segment->length) has_end = false;
    connection->receive_next += room;
    if (room) connection->program->received(connection, segment->data, room);
    if (has_end && connection->state != CLOSED) {
      connection->receive_next++;
      take_end(connection);
    }
  }
}

/* 3.10.7.4, for every state from SYN_RECEIVED on. */
static void arrive(struct connection *connection, struct segment *segment) {
  if (!is_acceptable(connection, segment)) {
    bool is_our_answer_lost = connection->state == SYN_RECEIVED && segment->flags & SYN;
    if (is_our_answer_lost) tcp_retransmit(connection);
    else if (!(segment->flags & RST)) tcp_send_acknowledgment(connection);
    return;
  }
  if (segment->flags & RST) {
    if (segment->sequence == connection->receive_next) tcp_break(connection);
    else tcp_send_acknowledgment(connection); /* who means it knows the number then (RFC 5961, 3.2) */
    return;
  }
  if (segment->flags & SYN) { /* the same, 4.2 */
    tcp_send_acknowledgment(connection);
    return;
  }
  if (!(segment->flags & ACK)) return;
  connection->heard_at = ticks;
  if (!take_acknowledgment(connection, segment)) return;
  if (is_end_acknowledged(connection) && !end_was_acknowledged(connection)) return;
  take_data(connection, segment);
  if (connection->state == CLOSED) return;
  tcp_transmit(connection);
  if (connection->owes_acknowledgment) tcp_send_acknowledgment(connection);
}

void tcp_receive(const struct ip_packet *packet) {
  const struct tcp_header *tcp = (const void *)packet->payload;
  unsigned header_length = packet->length < sizeof *tcp ? 0 : tcp->data_offset >> 4 << 2;
  uint32_t sum = pseudo_header_sum(packet->source, ip_host.address, PROTOCOL_TCP, packet->length);
  if (header_length < sizeof *tcp || header_length > packet->length || packet->is_broadcast ||
      checksum_of(sum_of(tcp, packet->length, sum))) {
    counters.malformed++;
    return;
  }
  counters.segments++;
  struct segment segment = {
      .address = packet->source,
      .port = from16(tcp->source_port),
      .our_port = from16(tcp->destination_port),
      .flags = tcp->flags,
      .sequence = from32(tcp->sequence),
      .acknowledgment = from32(tcp->acknowledgment),
      .window = from16(tcp->window),
      .options = (const uint8_t *)(tcp + 1),
      .data = packet->payload + header_length,
      .length = packet->length - header_length,
  };
  struct connection *connection = tcp_find(segment.address, segment.port, segment.our_port);
  /* A new connection between the same ends, while the old one is only remembered (RFC 1122, 4.2.2.13). */
  if (connection && connection->state == TIME_WAIT && segment.flags & SYN &&
      is_before(connection->receive_next, segment.sequence)) {
    connection->state = CLOSED;
    connection = NULL;
  }
  if (!connection) {
    const struct tcp_program *program = tcp_listener(segment.our_port);
    if (!program || segment.flags & (RST | ACK)) refuse(&segment);
    else if (segment.flags & SYN) accept(&segment, program);
  } else if (connection->state == SYN_SENT) {
    arrive_in_syn_sent(connection, &segment);
  } else {
    arrive(connection, &segment);
  }
}
