/*
 * The line editor.
 * Source: ECMA-48, 5.4 "Control sequences", for the arrow keys.
 */
#include "line.h"

#include "memory.h"
#include "network.h"
#include "serial.h"

#define STOP 3 /* Ctrl-C */
#define BACKSPACE 8
#define CONTROL_U 21
#define ESCAPE 27
#define DELETE 127

#define LINES_KEPT 8

static char kept[LINES_KEPT][LONGEST_LINE + 1];
static unsigned lines_read;

static char next_character(void) {
  for (;;) {
    if (serial_take_stop()) return STOP;
    int character = serial_next();
    if (character >= 0) return (char)character;
    network_idle();
  }
}

static unsigned erase(unsigned length) {
  for (; length; length--) print("\b \b");
  return 0;
}

/* Takes an earlier line's place: `back` is 1 for the last one. Returns its length. */
static unsigned recall(char *line, unsigned length, unsigned back) {
  erase(length);
  length = 0;
  const char *old = back ? kept[(lines_read - back) % LINES_KEPT] : "";
  for (; old[length]; length++) put(line[length] = old[length]);
  return length;
}

/* The last byte of a control sequence, whose first byte was ESC; 0 if it is none. */
static char end_of_sequence(void) {
  if (next_character() != '[') return 0;
  for (;;) {
    char character = next_character();
    if (character < ' ' || character >= '@') return character;
  }
}

void read_line(char line[LONGEST_LINE + 1]) {
  unsigned length = 0, back = 0;
  for (;;) {
    char character = next_character();
    if (character == '\r' || character == '\n') break;
    if (character == BACKSPACE || character == DELETE) {
      if (length > 0) {
        length--;
        print("\b \b");
      }
    } else if (character == CONTROL_U || character == STOP) {
      length = erase(length);
    } else if (character == ESCAPE) {
      char key = end_of_sequence();
      unsigned most = lines_read < LINES_KEPT ? lines_read : LINES_KEPT;
      if (key == 'A' && back < most) length = recall(line, length, ++back);
      if (key == 'B' && back > 0) length = recall(line, length, --back);
    } else if (character >= ' ' && length < LONGEST_LINE) {
      line[length++] = character;
      put(character);
    }
  }
  line[length] = 0;
  print("\n");
  if (length > 0) memcpy(kept[lines_read++ % LINES_KEPT], line, length + 1);
}
