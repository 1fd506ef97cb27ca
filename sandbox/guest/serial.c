/*
 * The 16550A at COM1, by interrupt both ways: characters wait in two rings.
 * Source: PC16550D data sheet, section 8 "Registers".
 */
#include "serial.h"

#include "interrupts.h"
#include "processor.h"
#include "text.h"

#define COM1 0x3f8
#define DATA (COM1 + 0)
#define INTERRUPT_ENABLE (COM1 + 1)
#define INTERRUPT_IDENTIFICATION (COM1 + 2)
#define FIFO_CONTROL (COM1 + 2)
#define LINE_CONTROL (COM1 + 3)
#define MODEM_CONTROL (COM1 + 4)
#define LINE_STATUS (COM1 + 5)
#define MODEM_STATUS (COM1 + 6)

#define CONTROL_C 3

#define SERIAL_IRQ 4
#define FIFO_SIZE 16

#define ENABLE_RECEIVED 0x01
#define ENABLE_TRANSMITTER_EMPTY 0x02

#define NO_CAUSE 0x01
#define CAUSES 0x06
#define CAUSE_MODEM 0x00
#define CAUSE_TRANSMITTER_EMPTY 0x02
#define CAUSE_RECEIVED 0x04
#define CAUSE_LINE 0x06

#define DATA_READY 0x01
#define TRANSMITTER_EMPTY 0x20
#define ALL_SENT 0x40
#define OUT2 0x08 /* lets the interrupt out of the chip, on a PC */

/* Heads and tails count for ever; a place is a count modulo the size. */
static uint8_t input[128], output[1024];
static unsigned input_head, input_tail, output_head, output_tail;
static bool is_sending, is_stop_wanted;

static void handle_interrupt(void);

void serial_start(void) {
  out8(LINE_CONTROL, 0x80); /* DLAB */
  out8(DATA, 1);            /* 115,200 baud */
  out8(INTERRUPT_ENABLE, 0);
  out8(LINE_CONTROL, 0x03); /* 8 bits, no parity, 1 stop bit */
  out8(FIFO_CONTROL, 0x07); /* FIFOs on, and empty */
  out8(MODEM_CONTROL, 0x03 | OUT2);
  handle_irq(SERIAL_IRQ, handle_interrupt);
  out8(INTERRUPT_ENABLE, ENABLE_RECEIVED);
}

static void receive(void) {
  while (in8(LINE_STATUS) & DATA_READY) {
    uint8_t byte = in8(DATA);
    if (byte == CONTROL_C) is_stop_wanted = true;
    else if (input_head - input_tail < sizeof input) input[input_head++ % sizeof input] = byte;
  }
}

static void fill_fifo(void) {
  for (unsigned room = FIFO_SIZE; room && output_head != output_tail; room--) {
    out8(DATA, output[output_tail++ % sizeof output]);
  }
}

/* Until the chip has no cause left: its line must fall, or the PIC sees no further edge. */
static void handle_interrupt(void) {
  for (;;) {
    uint8_t identification = in8(INTERRUPT_IDENTIFICATION);
    if (identification & NO_CAUSE) return;
    switch (identification & CAUSES) {
      case CAUSE_TRANSMITTER_EMPTY:
        is_sending = output_head != output_tail;
        if (is_sending) fill_fifo();
        else out8(INTERRUPT_ENABLE, ENABLE_RECEIVED);
        break;
      case CAUSE_RECEIVED:
        receive();
        break;
      case CAUSE_LINE:
        in8(LINE_STATUS);
        break;
      case CAUSE_MODEM:
        in8(MODEM_STATUS);
    }
  }
}

int serial_next(void) {
  bool were_on = interrupts_pause();
  int character = input_head == input_tail ? -1 : input[input_tail++ % sizeof input];
  interrupts_resume(were_on);
  return character;
}

bool serial_take_stop(void) {
  bool were_on = interrupts_pause();
  bool is_wanted = is_stop_wanted;
  is_stop_wanted = false;
  interrupts_resume(were_on);
  return is_wanted;
}

static void wait_for(uint8_t status) {
  while (!(in8(LINE_STATUS) & status)) {
  }
}

void serial_flush(void) {
  interrupts_off();
  while (output_head != output_tail) {
    wait_for(TRANSMITTER_EMPTY);
    fill_fifo();
  }
  wait_for(ALL_SENT);
}

void put(char character) {
  bool were_on = interrupts_pause();
  while (output_head - output_tail == sizeof output) {
    if (were_on) {
      sleep_until_interrupt();
      interrupts_off();
    } else {
      wait_for(TRANSMITTER_EMPTY);
      fill_fifo();
    }
  }
  output[output_head++ % sizeof output] = (uint8_t)character;
  if (!is_sending) {
    /* Asks for an interrupt at once if the transmitter has nothing to do. */
    out8(INTERRUPT_ENABLE, ENABLE_RECEIVED | ENABLE_TRANSMITTER_EMPTY);
    is_sending = true;
  }
  interrupts_resume(were_on);
}

static void put_on_terminal(char character, void *where) {
  (void)where;
  if (character == '\n') put('\r');
  put(character);
}

void print(const char *pattern, ...) {
  va_list values;
  va_start(values, pattern);
  format(put_on_terminal, 0, pattern, values);
  va_end(values);
}
