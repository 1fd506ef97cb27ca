/*
 * The HTTP client: one page, printed as it comes.
 * Source: RFC 1945 "HTTP/1.0", 5 "Request".
 */
#include <stddef.h>

#include "http.h"
#include "network.h"
#include "serial.h"
#include "tcp.h"
#include "text.h"
#include "timer.h"

#define PATIENCE (20 * TICKS_A_SECOND)

static const char *path;
static unsigned bytes;
static enum { WAITING, DONE, BROKEN } outcome;

static void opened(struct connection *connection) {
  char place[160];
  struct text request = {place, 0, sizeof place};
  append(&request, "GET %s HTTP/1.0\r\nHost: %i\r\n\r\n", path, tcp_address(connection));
  tcp_write(connection, request.start, request.length);
}

/* Nobody from outside plays with the terminal: what is no plain text shows as a dot. */
static void received(struct connection *connection, const uint8_t *data, unsigned length) {
  (void)connection;
  bytes += length;
  for (; length; length--, data++) {
    bool is_plain = (*data >= ' ' && *data <= '~') || *data == '\n' || *data == '\t';
    if (*data != '\r') print("%c", is_plain ? *data : '.');
  }
}

static void finished(struct connection *connection) {
  outcome = DONE;
  tcp_close(connection);
}

static void broken(struct connection *connection) {
  (void)connection;
  outcome = BROKEN;
}

void fetch(const char *where) {
  static const struct tcp_program client = {opened, received, finished, broken};
  uint32_t address;
  if (!read_address(&where, &address) || (*where && *where != '/')) {
    print("fetch what? An address and a path, as in: fetch 10.0.2.2/status.txt\n");
    return;
  }
  path = *where ? where : "/";
  bytes = 0;
  outcome = WAITING;
  struct connection *connection = tcp_connect(address, HTTP_PORT, &client);
  if (!connection) {
    print("too many connections are open\n");
    return;
  }
  uint32_t start = ticks;
  while (outcome == WAITING && ticks - start < PATIENCE && !serial_take_stop()) network_idle();
  if (outcome == DONE) {
    print("\n%u bytes\n", bytes);
    return;
  }
  print("\n%i %s\n", address, outcome == BROKEN ? "refuses, or is not there" : "is slow: given up");
  if (outcome == WAITING) tcp_abort(connection);
}
