#ifndef TCP_H
#define TCP_H

#include <stdbool.h>

#include "ip.h"

#define CONNECTIONS 16
#define TCP_BUFFER 4096

struct connection;

/* What a program on top of TCP hears; it may call tcp_write, tcp_close and tcp_abort while it listens. */
struct tcp_program {
  /* A connection is open. */
  void (*opened)(struct connection *connection);
  void (*received)(struct connection *connection, const uint8_t *data, unsigned length);
  /* The other side has said all that it had to say. */
  void (*finished)(struct connection *connection);
  /* The connection is gone, by a reset or because the other side is silent. */
  void (*broken)(struct connection *connection);
};

void tcp_listen(uint16_t port, const struct tcp_program *program);
/* Opens a connection; NULL if there is no place for one. */
struct connection *tcp_connect(uint32_t address, uint16_t port, const struct tcp_program *program);
/* Adds bytes to what is to be sent, at most TCP_BUFFER in a connection's life; what has no room is left out. */
void tcp_write(struct connection *connection, const void *bytes, unsigned length);
/* Nothing more is to be sent. */
void tcp_close(struct connection *connection);
/* The connection ends here and now. */
void tcp_abort(struct connection *connection);
/* Which of the CONNECTIONS places it has: programs keep what they know in tables of that size. */
unsigned tcp_place(const struct connection *connection);
uint32_t tcp_address(const struct connection *connection);

void tcp_receive(const struct ip_packet *packet);
/* Every tick or later: sends again what was not acknowledged, and forgets. */
void tcp_tick(void);
void tcp_print(void);

#endif
