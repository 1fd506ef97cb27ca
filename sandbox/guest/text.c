/* Numbers and addresses to text, and back. */
#include "text.h"

#include <stddef.h>

typedef void put_character(char character, void *where);

static void put_unsigned(put_character *put, void *where, unsigned value, unsigned digits) {
  if (value >= 10 || digits > 1) put_unsigned(put, where, value / 10, digits - (digits > 1));
  put((char)('0' + value % 10), where);
}

static void put_hexadecimal(put_character *put, void *where, unsigned value, int digits) {
  while (digits-- > 0) put("0123456789abcdef"[(value >> (4 * digits)) & 15], where);
}

void format(put_character *put, void *where, const char *pattern, va_list values) {
  for (; *pattern; pattern++) {
    if (*pattern != '%') {
      put(*pattern, where);
      continue;
    }
    switch (*++pattern) {
      case 's':
        for (const char *text = va_arg(values, const char *); *text; text++) put(*text, where);
        break;
      case 'c':
        put((char)va_arg(values, int), where);
        break;
      case 'u':
        put_unsigned(put, where, va_arg(values, unsigned), 1);
        break;
      case 'x':
        put_hexadecimal(put, where, va_arg(values, unsigned), 8);
        break;
      case 'k': {
        unsigned thousandths = va_arg(values, unsigned);
        put_unsigned(put, where, thousandths / 1000, 1);
        put('.', where);
        put_unsigned(put, where, thousandths % 1000, 3);
        break;
      }
      case 'i': {
        uint32_t address = va_arg(values, uint32_t);
        for (int shift = 24; shift >= 0; shift -= 8) {
          put_unsigned(put, where, (address >> shift) & 0xff, 1);
          if (shift) put('.', where);
        }
        break;
      }
      case 'm': {
        const uint8_t *mac = va_arg(values, const uint8_t *);
        for (unsigned at = 0; at < 6; at++) {
          if (at) put(':', where);
          put_hexadecimal(put, where, mac[at], 2);
        }
        break;
      }
    }
  }
}

static void put_in_text(char character, void *where) {
  struct text *text = where;
  if (text->length < text->room) text->start[text->length++] = character;
}

void append(struct text *text, const char *pattern, ...) {
  va_list values;
  va_start(values, pattern);
  format(put_in_text, text, pattern, values);
  va_end(values);
}

bool is_same(const char *one, const char *other) {
  const char *rest = after(one, other);
  return rest && !*rest;
}

const char *after(const char *text, const char *start) {
  for (; *start; start++, text++) {
    if (*text != *start) return NULL;
  }
  return text;
}

bool read_number(const char **text, uint32_t most, uint32_t *value) {
  const char *at = *text;
  uint32_t number = 0;
  for (; *at >= '0' && *at <= '9'; at++) {
    uint32_t digit = (uint32_t)(*at - '0');
    if (number > (most - digit) / 10) return false;
    number = number * 10 + digit;
  }
  if (at == *text) return false;
  *text = at;
  *value = number;
  return true;
}

bool read_hexadecimal(const char **text, uint32_t *value) {
  const char *first = after(*text, "0x");
  if (!first) return false;
  const char *at = first;
  uint32_t number = 0;
  for (;; at++) {
    uint32_t digit;
    if (*at >= '0' && *at <= '9') digit = (uint32_t)(*at - '0');
    else if (*at >= 'a' && *at <= 'f') digit = (uint32_t)(*at - 'a' + 10);
    else break;
    if (number >> 28) return false;
    number = number << 4 | digit;
  }
  if (at == first) return false;
  *text = at;
  *value = number;
  return true;
}

bool read_address(const char **text, uint32_t *value) {
  const char *at = *text;
  uint32_t address = 0, byte;
  for (unsigned part = 0; part < 4; part++) {
    if (part && *at++ != '.') return false;
    if (!read_number(&at, 255, &byte)) return false;
    address = address << 8 | byte;
  }
  *text = at;
  *value = address;
  return true;
}
