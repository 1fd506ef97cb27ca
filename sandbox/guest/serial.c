/*
 * The 16550A at COM1: sends by waiting for THRE, receives by interrupt.
 * Source: PC16550D data sheet, section 8 "Registers".
 */
#include "serial.h"

#include <stdarg.h>
#include <stdint.h>

#include "processor.h"

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)

#define DATA_READY 0x01
#define THR_EMPTY 0x20
#define OUT2 0x08 /* lets the interrupt out of the chip, on a PC */

static uint8_t ring[64];
static unsigned head, tail;

void serial_start(void) {
  out8(LINE_CONTROL, 0x80); /* DLAB */
  out8(DATA, 1);            /* 115,200 baud */
  out8(INTERRUPT_ENABLE, 0);
  out8(LINE_CONTROL, 0x03); /* 8 bits, no parity, 1 stop bit */
  out8(FIFO_CONTROL, 0x07); /* FIFOs on, and empty */
  out8(MODEM_CONTROL, 0x03 | OUT2);
  out8(INTERRUPT_ENABLE, 0x01); /* received data */
}

void serial_interrupt(void) {
  while (in8(LINE_STATUS) & DATA_READY) {
    uint8_t byte = in8(DATA);
    if (head - tail < sizeof ring) ring[head++ % sizeof ring] = byte;
  }
}

int serial_next(void) {
  return head == tail ? -1 : ring[tail++ % sizeof ring];
}

void put(char character) {
  while (!(in8(LINE_STATUS) & THR_EMPTY)) {
  }
  out8(DATA, (uint8_t)character);
}

static void put_unsigned(unsigned value) {
  if (value >= 10) put_unsigned(value / 10);
  put((char)('0' + value % 10));
}

void print(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  for (; *format; format++) {
    if (*format == '\n') put('\r');
    if (*format != '%') {
      put(*format);
      continue;
    }
    switch (*++format) {
      case 's':
        for (const char *text = va_arg(arguments, const char *); *text; text++) put(*text);
        break;
      case 'c':
        put((char)va_arg(arguments, int));
        break;
      case 'u':
        put_unsigned(va_arg(arguments, unsigned));
        break;
      case 'x': {
        unsigned value = va_arg(arguments, unsigned);
        for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15]);
      }
    }
  }
  va_end(arguments);
}
