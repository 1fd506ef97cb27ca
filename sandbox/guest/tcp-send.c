/*
 * TCP, the sending side: windows, retransmission, congestion control.
 * Source: RFC 9293, 3.7 and 3.8; RFC 6298 "Computing TCP's Retransmission Timer"; RFC 5681 "TCP Congestion
 * Control"; RFC 6928 for the initial window.
 */
#include "checksum.h"
#include "counters.h"
#include "memory.h"
#include "network.h"
#include "tcp-state.h"

#define FIRST_TIMEOUT TICKS_A_SECOND
#define SHORTEST_TIMEOUT TICKS_A_SECOND
#define LONGEST_TIMEOUT (60 * TICKS_A_SECOND)
#define MOST_TIMEOUTS 6
#define DUPLICATES_OF_A_LOSS 3

#define OPTION_SEGMENT_SIZE 2
#define OPTION_SEGMENT_SIZE_LENGTH 4

/* Fills the header in front of data that are in place already, and sends all. */
static void send_segment(struct packet *packet, uint32_t address, unsigned header_length, unsigned data_length) {
  struct tcp_header *tcp = (void *)ip_payload(packet);
  unsigned length = header_length + data_length;
  tcp->data_offset = (uint8_t)(header_length / 4 << 4);
  tcp->window = to16(OUR_WINDOW);
  tcp->urgent = tcp->checksum = to16(0);
  uint32_t sum = pseudo_header_sum(ip_host.address, address, PROTOCOL_TCP, length);
  tcp->checksum = to16(checksum_of(sum_of(tcp, length, sum)));
  ip_send(packet, address, PROTOCOL_TCP, length);
}

/* SYN and FIN take a sequence number each, before and behind the data. */
static void send(struct connection *connection, unsigned flags, uint32_t sequence, unsigned length) {
  struct packet *packet = packet_take();
  if (!packet) return;
  struct tcp_header *tcp = (void *)ip_payload(packet);
  unsigned header_length = sizeof *tcp;
  tcp->source_port = to16(connection->our_port);
  tcp->destination_port = to16(connection->port);
  tcp->sequence = to32(sequence);
  tcp->acknowledgment = to32(flags & ACK ? connection->receive_next : 0);
  tcp->flags = (uint8_t)flags;
  if (flags & SYN) {
    uint8_t *option = (uint8_t *)(tcp + 1);
    option[0] = OPTION_SEGMENT_SIZE;
    option[1] = OPTION_SEGMENT_SIZE_LENGTH;
    option[2] = OUR_SEGMENT_SIZE >> 8;
    option[3] = OUR_SEGMENT_SIZE & 0xff;
    header_length += OPTION_SEGMENT_SIZE_LENGTH;
  }
  if (length) memcpy((uint8_t *)tcp + header_length, connection->data + (sequence - connection->first), length);
  if (flags & ACK) connection->owes_acknowledgment = false;
  send_segment(packet, connection->address, header_length, length);
}

void tcp_send_reset(uint32_t address, uint16_t port, uint16_t our_port, uint32_t sequence,
                    uint32_t acknowledgment, bool acknowledges) {
  struct packet *packet = packet_take();
  if (!packet) return;
  struct tcp_header *tcp = (void *)ip_payload(packet);
  tcp->source_port = to16(our_port);
  tcp->destination_port = to16(port);
  tcp->sequence = to32(sequence);
  tcp->acknowledgment = to32(acknowledgment);
  tcp->flags = (uint8_t)(RST | (acknowledges ? ACK : 0));
  send_segment(packet, address, sizeof *tcp, 0);
}

void tcp_send_acknowledgment(struct connection *connection) {
  send(connection, ACK, connection->send_next, 0);
}

static void start_timer(struct connection *connection) {
  connection->is_timer_on = true;
  connection->timer_at = ticks + connection->timeout;
}

/* One round trip is measured at a time, and none of what is sent twice (Karn; RFC 6298, 3). */
static void start_measuring(struct connection *connection, uint32_t sequence) {
  if (connection->is_measuring || is_before(sequence, connection->send_most)) return;
  connection->is_measuring = true;
  connection->measured_sequence = sequence;
  connection->measured_at = ticks;
}

/* Accounts for what goes out: `next` is the sequence number behind it. */
static void went_out(struct connection *connection, uint32_t sequence, uint32_t next) {
  if (is_before(sequence, connection->send_most)) counters.retransmitted++;
  start_measuring(connection, sequence);
  connection->send_next = next;
  if (is_before(connection->send_most, next)) connection->send_most = next;
  if (!connection->is_timer_on) start_timer(connection);
}

/* RFC 6928, 2: ten segments, but no more than 14,600 bytes. */
void tcp_begin_sending(struct connection *connection) {
  connection->timeout = FIRST_TIMEOUT;
  connection->segment_size = smaller(connection->segment_size, OUR_SEGMENT_SIZE);
  connection->congestion_window = 10 * connection->segment_size;
  connection->slow_start_threshold = 0xffff;
}

/* The next piece behind `send_next` that fits; false if none does. */
static bool send_piece(struct connection *connection, unsigned window) {
  uint32_t end = end_of_data(connection), sequence = connection->send_next;
  if (is_before(end, sequence)) return false; /* the FIN is out, too */
  unsigned in_flight = sequence - connection->send_unacknowledged;
  unsigned room = window > in_flight ? window - in_flight : 0;
  unsigned left = end - sequence;
  unsigned length = smaller(smaller(left, room), connection->segment_size);
  /* No small pieces, unless it is the last one or nothing else is on its way (RFC 9293, 3.8.6.2.1). */
  if (length < left && length < connection->segment_size && in_flight) return false;
  bool is_last = length == left;
  bool is_end = is_last && connection->has_end;
  if (!length && !is_end) return false;
  send(connection, ACK | (is_last && length ? PSH : 0u) | (is_end ? FIN : 0u), sequence, length);
  went_out(connection, sequence, sequence + length + is_end);
  return true;
}

void tcp_transmit(struct connection *connection) {
  if (connection->state < ESTABLISHED) return;
  while (send_piece(connection, smaller(connection->send_window, connection->congestion_window))) {
  }
  /* What waits for a closed window to open waits with the timer running, to ask. */
  uint32_t end = end_of_data(connection) + connection->has_end;
  if (is_before(connection->send_next, end) && !connection->is_timer_on) start_timer(connection);
}

void tcp_retransmit(struct connection *connection) {
  uint32_t unacknowledged = connection->send_unacknowledged;
  connection->is_measuring = false;
  if (connection->state == SYN_SENT || connection->state == SYN_RECEIVED) {
    unsigned flags = connection->state == SYN_SENT ? SYN : SYN | ACK;
    send(connection, flags, unacknowledged, 0);
    went_out(connection, unacknowledged, unacknowledged + 1);
    return;
  }
  uint32_t next = connection->send_next;
  connection->send_next = unacknowledged;
  if (connection->send_window) {
    send_piece(connection, connection->segment_size);
    if (is_before(connection->send_next, next)) connection->send_next = next;
  } else {
    /* One byte asks whether the window has opened (RFC 9293, 3.8.6.1); it comes again when it has. */
    send_piece(connection, 1);
    connection->send_next = unacknowledged;
  }
}

/* RFC 6298, 2.2 to 2.4. */
static void take_round_trip(struct connection *connection, uint32_t ticks_taken) {
  if (!connection->smoothed) {
    connection->smoothed = ticks_taken ? ticks_taken : 1;
    connection->variation = connection->smoothed / 2;
  } else {
    int32_t error = (int32_t)(ticks_taken - connection->smoothed);
    connection->variation += (uint32_t)(((error < 0 ? -error : error) - (int32_t)connection->variation) / 4);
    connection->smoothed += (uint32_t)(error / 8);
  }
  uint32_t spread = 4 * connection->variation;
  uint32_t timeout = connection->smoothed + (spread ? spread : 1);
  connection->timeout = timeout < SHORTEST_TIMEOUT ? SHORTEST_TIMEOUT : smaller(timeout, LONGEST_TIMEOUT);
}

void tcp_was_acknowledged(struct connection *connection, uint32_t acknowledgment) {
  unsigned gone = acknowledgment - connection->send_unacknowledged;
  connection->send_unacknowledged = acknowledgment;
  if (is_before(connection->send_next, acknowledgment)) connection->send_next = acknowledgment;
  connection->duplicates = connection->timeouts = 0;
  if (connection->is_measuring && is_before(connection->measured_sequence, acknowledgment)) {
    connection->is_measuring = false;
    take_round_trip(connection, ticks - connection->measured_at);
  }
  /* Slow start, then congestion avoidance (RFC 5681, 3.1). */
  unsigned size = connection->segment_size, window = connection->congestion_window;
  bool is_slow_start = window < connection->slow_start_threshold;
  connection->congestion_window += is_slow_start ? smaller(gone, size) : size * size / window + 1;
  connection->is_timer_on = false;
  if (acknowledgment != connection->send_most) start_timer(connection);
}

/* Half of what is on its way, but two segments (RFC 5681, equation 4). */
static void lower_threshold(struct connection *connection) {
  unsigned half = (connection->send_most - connection->send_unacknowledged) / 2;
  unsigned least = 2 * connection->segment_size;
  connection->slow_start_threshold = half < least ? least : half;
}

void tcp_was_acknowledged_again(struct connection *connection) {
  if (++connection->duplicates != DUPLICATES_OF_A_LOSS) return;
  lower_threshold(connection);
  connection->congestion_window = connection->slow_start_threshold;
  tcp_retransmit(connection);
}

/* RFC 6298, 5.4 to 5.6; RFC 5681, 3.1: back to one segment, and all from there on is sent again. */
bool tcp_timed_out(struct connection *connection) {
  connection->is_timer_on = false;
  if (++connection->timeouts > MOST_TIMEOUTS) return false;
  lower_threshold(connection);
  connection->congestion_window = connection->segment_size;
  connection->timeout = smaller(2 * connection->timeout, LONGEST_TIMEOUT);
  connection->send_next = connection->send_unacknowledged;
  tcp_retransmit(connection);
  return true;
}
