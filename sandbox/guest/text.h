#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * %s text, %c character, %u unsigned, %x eight hexadecimal digits, %k thousandths as in 1.234,
 * %i IP address, %m address of a network card (a pointer to its six bytes).
 */
void format(void (*put)(char character, void *where), void *where, const char *pattern, va_list values);

/* Text that grows in a place of a fixed size; what has no room is left out. */
struct text {
  char *start;
  unsigned length, room;
};

void append(struct text *text, const char *pattern, ...);

bool is_same(const char *one, const char *other);
/* Behind `start`, if that is how `text` begins; else NULL. */
const char *after(const char *text, const char *start);

/* Read from `*text` and step over it; false, and all as it was, where there is none. */
bool read_number(const char **text, uint32_t most, uint32_t *value);
bool read_hexadecimal(const char **text, uint32_t *value);
bool read_address(const char **text, uint32_t *value);

#endif
