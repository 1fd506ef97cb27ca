/*
 * The interrupt table, the 8259A pair and the 8254.
 * Source: Intel SDM vol. 3A, 6.11 "IDT Descriptors"; 8259A data sheet; 8254 data sheet.
 */
#include "interrupts.h"

#include "paging.h"
#include "processor.h"
#include "serial.h"

#define VECTORS 48
#define CODE_SELECTOR 0x08
#define INTERRUPT_GATE 0x8e00 /* present, ring 0, 32 bits */

#define MASTER 0x20
#define SLAVE 0xa0
#define END_OF_INTERRUPT 0x20
#define TIMER_IRQ 0
#define CASCADE_IRQ 2
#define SERIAL_IRQ 4

#define PIT_CHANNEL_0 0x40
#define PIT_CONTROL 0x43
#define PIT_HERTZ 1193182

extern const uint32_t stubs[VECTORS];

volatile uint32_t irq_counts[16];
volatile uint32_t ticks;

static struct {
  uint16_t offset_low, selector, rights, offset_high;
} idt[VECTORS];

static void load_idt(void) {
  for (unsigned vector = 0; vector < VECTORS; vector++) {
    idt[vector].offset_low = (uint16_t)stubs[vector];
    idt[vector].selector = CODE_SELECTOR;
    idt[vector].rights = INTERRUPT_GATE;
    idt[vector].offset_high = (uint16_t)(stubs[vector] >> 16);
  }
  struct __attribute__((packed)) {
    uint16_t limit;
    uint32_t base;
  } idtr = {sizeof idt - 1, (uint32_t)idt};
  __asm__ volatile("lidt %0" : : "m"(idtr));
}

/* ICW1 to ICW4, then a mask with open lines for the timer, the serial port and the cascade. */
static void start_pics(void) {
  out8(MASTER, 0x11);
  out8(SLAVE, 0x11);
  out8(MASTER + 1, FIRST_IRQ);
  out8(SLAVE + 1, FIRST_IRQ + 8);
  out8(MASTER + 1, 1 << CASCADE_IRQ);
  out8(SLAVE + 1, CASCADE_IRQ);
  out8(MASTER + 1, 0x01);
  out8(SLAVE + 1, 0x01);
  out8(MASTER + 1, (uint8_t)~(1 << TIMER_IRQ | 1 << CASCADE_IRQ | 1 << SERIAL_IRQ));
  out8(SLAVE + 1, 0xff);
}

/* Counter 0 in mode 2: an interrupt every 10 ms. */
static void start_timer(void) {
  unsigned count = PIT_HERTZ / TICKS_A_SECOND;
  out8(PIT_CONTROL, 0x34);
  out8(PIT_CHANNEL_0, (uint8_t)count);
  out8(PIT_CHANNEL_0, (uint8_t)(count >> 8));
}

void interrupts_start(void) {
  load_idt();
  start_pics();
  start_timer();
}

/* Every vector's way through; called by start.asm. */
void interrupt(struct frame *frame);

void interrupt(struct frame *frame) {
  if (frame->vector >= FIRST_IRQ) {
    unsigned irq = frame->vector - FIRST_IRQ;
    irq_counts[irq]++;
    if (irq == TIMER_IRQ) ticks++;
    if (irq == SERIAL_IRQ) serial_interrupt();
    if (irq >= 8) out8(SLAVE, END_OF_INTERRUPT);
    out8(MASTER, END_OF_INTERRUPT);
    return;
  }
  if (frame->vector == PAGE_FAULT && repair_page_fault(frame->error_code)) return;
  print("\nexception %u, error code %x, at %x: the kernel stops\n", frame->vector, frame->error_code,
        frame->eip);
  for (;;) {
    interrupts_off();
    __asm__ volatile("hlt");
  }
}
