/*
 * Turns paging on, then runs all rows, again and again. On the serial line, for each row:
 *
 *     name <checksum ticks>        "<" is sent right before the row, the checksum right after it
 *
 * and after the last "end"; the next pass begins when a byte comes in. Between "<" and the first digit
 * the row runs and nothing else, so a host can take its time. Ticks are the time-stamp counter's.
 */
#include "paging.h"
#include "ports.h"
#include "rows.h"

#define COM1 0x3f8
#define LINE_STATUS (COM1 + 5)
#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20

struct row {
  const char *name;
  uint32_t (*run)(void);
};

static const struct row rows[] = {
    {"sieve", sieve},
    {"calls", calls},
    {"sha256", sha256},
    {"crc32", crc32},
    {"quicksort", quicksort},
    {"copy-loop", copy_loop},
    {"rep-movs", rep_movs},
    {"arithmetic64", arithmetic64},
    {"x87", x87},
    {"tlb-misses", tlb_misses},
    {"self-modifying", self_modifying},
    {"port-io", port_io},
};

uint8_t arena[1 << 20] __attribute__((aligned(4096)));

static void send(char c) {
  while (!(in8(LINE_STATUS) & TRANSMITTER_EMPTY)) {
  }
  out8(COM1, c);
}

static void print(const char *text) {
  while (*text) send(*text++);
}

static void print_hex(uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    send("0123456789abcdef"[(value >> shift) & 15]);
  }
}

static uint64_t ticks(void) {
  uint64_t now;
  __asm__ volatile("rdtsc" : "=A"(now));
  return now;
}

static void open_line(void) {
  out8(COM1 + 1, 0x00); /* no interrupts */
  out8(COM1 + 3, 0x80); /* DLAB: the divisor */
  out8(COM1 + 0, 0x01); /* 115,200 baud */
  out8(COM1 + 1, 0x00);
  out8(COM1 + 3, 0x03); /* 8 bits, no parity, 1 stop bit */
  out8(COM1 + 2, 0x07); /* FIFOs on and empty */
  out8(COM1 + 4, 0x03); /* DTR and RTS */
}

static void wait_for_byte(void) {
  while (!(in8(LINE_STATUS) & DATA_READY)) {
  }
  in8(COM1);
}

void main(void) {
  open_line();
  enable_paging();
  print("compiler " __VERSION__ "\n");
  for (;;) {
    for (const struct row *row = rows; row < rows + sizeof rows / sizeof rows[0]; row++) {
      print(row->name);
      print(" <");
      uint64_t start = ticks();
      uint32_t checksum = row->run();
      uint64_t took = ticks() - start;
      print_hex(checksum, 8);
      send(' ');
      print_hex(took, 16);
      print(">\n");
    }
    print("end\n");
    wait_for_byte();
  }
}
