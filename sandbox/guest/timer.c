/*
 * Channel 0 of the 8254: ticks, and what of a tick has gone by.
 * Source: 8254 data sheet, "Mode 2: Rate Generator", "Counter Latch Command".
 */
#include "timer.h"

#include "interrupts.h"
#include "processor.h"

#define CHANNEL_0 0x40
#define CONTROL 0x43
#define MODE_2_BOTH_BYTES 0x34
#define LATCH_CHANNEL_0 0x00

#define TIMER_IRQ 0
#define HERTZ 1193182
#define PERIOD (HERTZ / TICKS_A_SECOND)

#define PIC 0x20
#define READ_REQUESTS 0x0a

volatile uint32_t ticks;

static void tick(void) {
  ticks++;
}

void timer_start(void) {
  out8(CONTROL, MODE_2_BOTH_BYTES);
  out8(CHANNEL_0, (uint8_t)PERIOD);
  out8(CHANNEL_0, (uint8_t)(PERIOD >> 8));
  handle_irq(TIMER_IRQ, tick);
}

uint32_t timer_counts(void) {
  bool were_on = interrupts_pause();
  out8(CONTROL, LATCH_CHANNEL_0);
  uint32_t left = in8(CHANNEL_0);
  left |= (uint32_t)in8(CHANNEL_0) << 8;
  out8(PIC, READ_REQUESTS);
  bool is_tick_waiting = in8(PIC) & (1 << TIMER_IRQ);
  uint32_t whole = ticks;
  interrupts_resume(were_on);
  uint32_t gone = PERIOD - left;
  /* A tick that waits belongs to the count if that has begun anew, and not if it was about to. */
  if (is_tick_waiting && gone < PERIOD / 2) whole++;
  return whole * PERIOD + gone;
}

uint32_t microseconds(uint32_t counts) {
  return counts * 838 / 1000; /* a count takes 838.1 ns */
}
