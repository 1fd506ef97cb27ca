/*
 * TCP: the connections, and what a program on top does with them.
 * Source: RFC 9293, 3.4.1 "Initial Sequence Number Selection", 3.10.1 to 3.10.5 "User Calls".
 */
#include "tcp.h"

#include <stddef.h>

#include "memory.h"
#include "network.h"
#include "serial.h"
#include "tcp-state.h"

#define PORTS 4
#define FIRST_OUTGOING_PORT 49152
#define OUTGOING_PORTS 16384

/* Of silence, after which an open connection is given up and a closed one forgotten: 2 MSL of a minute. */
#define LONGEST_SILENCE (120 * TICKS_A_SECOND)

static struct connection connections[CONNECTIONS];
#define END (connections + CONNECTIONS)

static struct {
  uint16_t port;
  const struct tcp_program *program;
} listeners[PORTS];

void tcp_listen(uint16_t port, const struct tcp_program *program) {
  for (unsigned at = 0; at < PORTS; at++) {
    if (listeners[at].program) continue;
    listeners[at].port = port;
    listeners[at].program = program;
    return;
  }
}

const struct tcp_program *tcp_listener(uint16_t port) {
  for (unsigned at = 0; at < PORTS; at++) {
    if (listeners[at].program && listeners[at].port == port) return listeners[at].program;
  }
  return NULL;
}

unsigned tcp_place(const struct connection *connection) {
  return (unsigned)(connection - connections);
}

uint32_t tcp_address(const struct connection *connection) {
  return connection->address;
}

/* The place of a connection in this state that has been silent for the longest time. */
static struct connection *oldest(enum tcp_state state) {
  struct connection *oldest = NULL;
  for (struct connection *at = connections; at < END; at++) {
    if (at->state != state) continue;
    if (!oldest || ticks - at->heard_at > ticks - oldest->heard_at) oldest = at;
  }
  return oldest;
}

/* One that is over makes room first, then one that was never more than a SYN. */
static struct connection *free_place(void) {
  struct connection *place = oldest(CLOSED);
  if (!place) place = oldest(TIME_WAIT);
  if (!place) place = oldest(SYN_RECEIVED);
  return place;
}

/* A clock, shifted for each pair of ends by what others do not know (RFC 9293, 3.4.1). */
static uint32_t first_sequence(uint32_t address, uint16_t port, uint16_t our_port) {
  static uint32_t secret;
  if (!secret) secret = random_number() | 1;
  uint32_t hash = (address ^ secret) * 0x9e3779b1u;
  hash = (hash ^ hash >> 15 ^ ((uint32_t)port << 16 | our_port)) * 0x85ebca6bu;
  return timer_counts() + (hash ^ hash >> 13);
}

struct connection *tcp_open(uint32_t address, uint16_t port, uint16_t our_port,
                            const struct tcp_program *program, enum tcp_state state) {
  struct connection *connection = free_place();
  if (!connection) return NULL;
  memset(connection, 0, offsetof(struct connection, data));
  connection->state = state;
  connection->address = address;
  connection->port = port;
  connection->our_port = our_port;
  connection->program = program;
  connection->heard_at = ticks;
  connection->segment_size = SEGMENT_SIZE_NOT_TOLD;
  uint32_t first = first_sequence(address, port, our_port);
  connection->first = first + 1;
  connection->send_unacknowledged = connection->send_next = connection->send_most = first;
  return connection;
}

struct connection *tcp_connect(uint32_t address, uint16_t port, const struct tcp_program *program) {
  static uint16_t last;
  if (!last) last = (uint16_t)random_number();
  uint16_t our_port = (uint16_t)(FIRST_OUTGOING_PORT + ++last % OUTGOING_PORTS);
  struct connection *connection = tcp_open(address, port, our_port, program, SYN_SENT);
  if (!connection) return NULL;
  tcp_begin_sending(connection);
  tcp_retransmit(connection);
  return connection;
}

void tcp_write(struct connection *connection, const void *bytes, unsigned length) {
  length = smaller(length, TCP_BUFFER - connection->length);
  memcpy(connection->data + connection->length, bytes, length);
  connection->length += length;
}

void tcp_close(struct connection *connection) {
  switch (connection->state) {
    case ESTABLISHED:
      connection->state = FIN_WAIT_1;
      break;
    case CLOSE_WAIT:
      connection->state = LAST_ACK;
      break;
    case SYN_SENT:
    case SYN_RECEIVED:
      tcp_abort(connection);
      return;
    default:
      return;
  }
  connection->has_end = true;
  tcp_transmit(connection);
}

void tcp_abort(struct connection *connection) {
  if (connection->state > SYN_SENT && connection->state != TIME_WAIT) {
    tcp_send_reset(connection->address, connection->port, connection->our_port, connection->send_next,
                   connection->receive_next, true);
  }
  connection->state = CLOSED;
}

void tcp_break(struct connection *connection) {
  connection->state = CLOSED;
  connection->program->broken(connection);
}

struct connection *tcp_find(uint32_t address, uint16_t port, uint16_t our_port) {
  for (struct connection *at = connections; at < END; at++) {
    if (at->state != CLOSED && at->address == address && at->port == port && at->our_port == our_port) return at;
  }
  return NULL;
}

/* After a long silence the finished are forgotten, the others given up. */
static void end_silent(struct connection *connection) {
  bool is_over = connection->state == TIME_WAIT || connection->state == FIN_WAIT_2;
  if (!is_over) {
    tcp_abort(connection);
    tcp_break(connection);
  }
  connection->state = CLOSED;
}

void tcp_tick(void) {
  for (struct connection *at = connections; at < END; at++) {
    if (at->state == CLOSED) continue;
    if (ticks - at->heard_at > LONGEST_SILENCE) {
      end_silent(at);
    } else if (at->is_timer_on && (int32_t)(ticks - at->timer_at) >= 0 && !tcp_timed_out(at)) {
      tcp_abort(at);
      tcp_break(at);
    }
  }
}

void tcp_print(void) {
  static const char *const names[] = {
      "closed",     "SYN sent",   "SYN received", "established", "FIN wait 1",
      "FIN wait 2", "close wait", "closing",      "last ACK",    "time wait",
  };
  for (const struct connection *at = connections; at < END; at++) {
    if (at->state == CLOSED) continue;
    print("tcp       port %u and %i:%u, %s\n", at->our_port, at->address, at->port, names[at->state]);
  }
}
