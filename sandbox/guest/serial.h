#ifndef SERIAL_H
#define SERIAL_H

#include <stdbool.h>

/* Call with the PICs set up: a request made before would be lost. */
void serial_start(void);
/* The next character that came, or -1. */
int serial_next(void);
/* Whether Ctrl-C came since the last time: it stands in no line, and overtakes what was typed before. */
bool serial_take_stop(void);
/* Sends all that waits without interrupts, which stay off: before the machine stops. */
void serial_flush(void);

void put(char character);
/* A line's end becomes CR LF; the patterns are those of text.h. */
void print(const char *pattern, ...);

#endif
