#ifndef HTTP_H
#define HTTP_H

#include <stdint.h>

#define HTTP_PORT 80

/* Serves the status page. */
void http_start(void);

/* Fetches a page and prints it; Ctrl-C ends it. `where` is an address and, perhaps, a path. */
void fetch(const char *where);

#endif
