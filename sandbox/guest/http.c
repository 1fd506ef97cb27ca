/*
 * The HTTP server: one page that tells how the machine is, as HTML and as plain text.
 * Source: RFC 1945 "HTTP/1.0", 5 "Request", 6 "Response".
 */
#include "http.h"

#include <stddef.h>

#include "card.h"
#include "counters.h"
#include "dhcp.h"
#include "interrupts.h"
#include "memory.h"
#include "paging.h"
#include "prompt.h"
#include "tcp.h"
#include "text.h"
#include "timer.h"

#define LONGEST_REQUEST 1024
#define LONGEST_PAGE 3072

/* What has come of each connection's request. */
static struct request {
  unsigned length;
  char text[LONGEST_REQUEST + 1];
} requests[CONNECTIONS];

enum format { HTML, PLAIN };

/* A row of the table is a name and, behind a bar, what is to be told. */
static void begin_row(struct text *page, enum format format, const char *name) {
  append(page, format == HTML ? "<tr><th>%s<td>" : "%s: ", name);
}

static void end_row(struct text *page) {
  append(page, "\n");
}

static void write_rows(struct text *page, enum format format) {
  uint32_t now = ticks;
  begin_row(page, format, "up");
  append(page, "%u s, %u ticks", now / TICKS_A_SECOND, now);
  end_row(page);
  begin_row(page, format, "memory");
  append(page, "%u KiB, paging %s, %u pages put in on demand", memory_kibibytes,
         paging_is_on() ? "on" : "off", demand_pages());
  end_row(page);
  begin_row(page, format, "interrupts");
  const char *between = "";
  for (unsigned line = 0; line < IRQS; line++) {
    if (!irq_counts[line]) continue;
    append(page, "%sIRQ %u %u", between, line, irq_counts[line]);
    between = ", ";
  }
  end_row(page);
  begin_row(page, format, "card");
  append(page, "%m, %u frames in, %u out", card_mac, counters.frames_received, counters.frames_sent);
  end_row(page);
  begin_row(page, format, "address");
  append(page, "%i, ", ip_host.address);
  dhcp_describe(page);
  end_row(page);
  begin_row(page, format, "answered");
  append(page, "%u echoes, %u pages", counters.echoes_answered, counters.pages_served);
  end_row(page);
}

static void write_page(struct text *page, enum format format) {
  if (format == HTML) {
    append(page, "<!doctype html>\n<html lang=en><meta charset=utf-8><meta http-equiv=refresh content=2>\n"
                 "<title>vmexit</title>\n<style>body{font:1em/1.5 system-ui;margin:2em}"
                 "th{text-align:left;padding-right:2em}</style>\n"
                 "<h1>A small kernel on a small machine</h1>\n<table>\n");
  }
  write_rows(page, format);
  if (format == HTML) append(page, "</table>\n</html>\n");
}

static void respond(struct connection *connection, const char *status, const char *type,
                    const struct text *body, bool has_body) {
  char place[256];
  struct text header = {place, 0, sizeof place};
  append(&header, "HTTP/1.0 %s\r\nContent-Type: %s; charset=utf-8\r\nContent-Length: %u\r\n", status, type,
         body->length);
  append(&header, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
  tcp_write(connection, header.start, header.length);
  if (has_body) tcp_write(connection, body->start, body->length);
  tcp_close(connection);
}

/* A status that is its own page. */
static void refuse(struct connection *connection, const char *status) {
  char place[64];
  struct text body = {place, 0, sizeof place};
  append(&body, "%s\n", status);
  respond(connection, status, "text/plain", &body, true);
}

/* Behind a path, if that is the request's: its end, a query, or a space. */
static bool has_path(const char *at, const char *path) {
  const char *rest = after(at, path);
  return rest && (*rest == ' ' || *rest == '?' || *rest == '\r' || *rest == '\n');
}

static void answer(struct connection *connection, const char *request) {
  static char place[LONGEST_PAGE];
  struct text page = {place, 0, sizeof place};
  const char *get = after(request, "GET "), *head = after(request, "HEAD ");
  const char *path = get ? get : head;
  if (!path) {
    refuse(connection, "501 Not Implemented");
    return;
  }
  bool is_html = has_path(path, "/");
  if (!is_html && !has_path(path, "/status.txt")) {
    refuse(connection, *path == '/' ? "404 Not Found" : "400 Bad Request");
    return;
  }
  counters.pages_served++;
  write_page(&page, is_html ? HTML : PLAIN);
  respond(connection, "200 OK", is_html ? "text/html" : "text/plain", &page, get != NULL);
}

/* A request ends with an empty line; one of HTTP/0.9 after its first, which we answer alike. */
static bool is_complete(const char *text) {
  for (; *text; text++) {
    if (after(text, "\n\n") || after(text, "\n\r\n")) return true;
  }
  return false;
}

static void opened(struct connection *connection) {
  requests[tcp_place(connection)].length = 0;
}

static void received(struct connection *connection, const uint8_t *data, unsigned length) {
  struct request *request = &requests[tcp_place(connection)];
  if (request->length > LONGEST_REQUEST) return; /* it has its answer already */
  unsigned taken = smaller(length, LONGEST_REQUEST - request->length);
  memcpy(request->text + request->length, data, taken);
  request->length += taken;
  request->text[request->length] = 0;
  bool is_too_long = taken < length;
  if (is_complete(request->text)) answer(connection, request->text);
  else if (is_too_long) refuse(connection, "400 Bad Request");
  else return;
  request->length = LONGEST_REQUEST + 1;
}

static void finished(struct connection *connection) {
  tcp_close(connection);
}

static void broken(struct connection *connection) {
  (void)connection;
}

void http_start(void) {
  static const struct tcp_program server = {opened, received, finished, broken};
  tcp_listen(HTTP_PORT, &server);
}
