/* What the parts of TCP share: tcp.c has the connections, tcp-receive.c takes segments, tcp-send.c makes them. */
#ifndef TCP_STATE_H
#define TCP_STATE_H

#include "tcp.h"
#include "timer.h"

/* RFC 9293, 3.3.2. LISTEN is no state of a connection here: a port that is listened at has a program. */
enum tcp_state {
  CLOSED,
  SYN_SENT,
  SYN_RECEIVED,
  ESTABLISHED,
  FIN_WAIT_1,
  FIN_WAIT_2,
  CLOSE_WAIT,
  CLOSING,
  LAST_ACK,
  TIME_WAIT,
};

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

#define OUR_SEGMENT_SIZE (ETHERNET_PAYLOAD - IP_HEADER - TCP_HEADER)
#define SEGMENT_SIZE_NOT_TOLD 536 /* RFC 9293, 3.7.1 */
/* What we get is used at once, so the window never closes. */
#define OUR_WINDOW (4 * OUR_SEGMENT_SIZE)

struct tcp_header {
  be16 source_port, destination_port;
  be32 sequence, acknowledgment;
  uint8_t data_offset, flags;
  be16 window, checksum, urgent;
};

/* Variables named as in RFC 9293, 3.3.1, and RFC 5681, 2; times are in ticks. */
struct connection {
  enum tcp_state state;
  uint32_t address;
  uint16_t port, our_port;
  const struct tcp_program *program;
  uint32_t heard_at;

  uint32_t send_unacknowledged, send_next, send_most; /* most: the highest that SND.NXT has been */
  uint32_t send_window, window_sequence, window_acknowledgment;
  uint32_t receive_next;
  bool owes_acknowledgment; /* until the next segment, whatever else that says */
  unsigned segment_size;
  unsigned congestion_window, slow_start_threshold, duplicates;

  /* Round trips (RFC 6298): smoothed and variation are 0 until one was measured. */
  uint32_t smoothed, variation, timeout;
  bool is_measuring, is_timer_on;
  uint32_t measured_sequence, measured_at, timer_at;
  unsigned timeouts;

  /* All that is ever sent; its first byte has the sequence number `first`. */
  uint32_t first;
  bool has_end;
  unsigned length;
  uint8_t data[TCP_BUFFER];
};

/* Sequence numbers go around (RFC 9293, 3.4). */
static inline bool is_before(uint32_t one, uint32_t other) {
  return (int32_t)(one - other) < 0;
}

static inline uint32_t end_of_data(const struct connection *connection) {
  return connection->first + connection->length;
}

static inline bool is_end_acknowledged(const struct connection *connection) {
  return connection->has_end && is_before(end_of_data(connection), connection->send_unacknowledged);
}

/* Who listens at a port of ours; NULL if nobody does. */
const struct tcp_program *tcp_listener(uint16_t port);
/* A connection in its first state; NULL if there is no place for one. */
struct connection *tcp_open(uint32_t address, uint16_t port, uint16_t our_port,
                            const struct tcp_program *program, enum tcp_state state);
struct connection *tcp_find(uint32_t address, uint16_t port, uint16_t our_port);
/* The connection is gone, and its program hears of it. */
void tcp_break(struct connection *connection);

void tcp_begin_sending(struct connection *connection);
/* Sends as much as both windows let through. */
void tcp_transmit(struct connection *connection);
void tcp_send_acknowledgment(struct connection *connection);
/* The first segment that was not acknowledged, once more. */
void tcp_retransmit(struct connection *connection);
/* The other side has everything before `acknowledgment`, which is new. */
void tcp_was_acknowledged(struct connection *connection, uint32_t acknowledgment);
/* The other side acknowledges the same once again: it misses something (RFC 5681, 3.2). */
void tcp_was_acknowledged_again(struct connection *connection);
/* The timer has run out. Returns false if the other side has been silent for too long. */
bool tcp_timed_out(struct connection *connection);
/* A segment that belongs to no connection. */
void tcp_send_reset(uint32_t address, uint16_t port, uint16_t our_port, uint32_t sequence,
                    uint32_t acknowledgment, bool acknowledges);

#endif
