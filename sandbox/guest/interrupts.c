/*
 * The interrupt table and the 8259A pair.
 * Source: Intel SDM vol. 3A, 6.11 "IDT Descriptors"; 8259A data sheet.
 */
#include "interrupts.h"

#include <stddef.h>

#include "paging.h"
#include "processor.h"
#include "serial.h"

#define VECTORS 48
#define PAGE_FAULT 14
#define FIRST_IRQ 32
#define CODE_SELECTOR 0x08
#define INTERRUPT_GATE 0x8e00 /* present, ring 0, 32 bits */

#define MASTER 0x20
#define SLAVE 0xa0
#define END_OF_INTERRUPT 0x20
#define READ_IN_SERVICE 0x0b
#define CASCADE_IRQ 2
#define LAST_LINE 0x80 /* of each chip: IRQ 7 and 15 also stand for a request that went away */

/* What a stub of start.asm and the processor have pushed. */
struct frame {
  uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
  uint32_t vector, error_code;
  uint32_t eip, cs, eflags;
};

extern const uint32_t stubs[VECTORS];

volatile uint32_t irq_counts[IRQS];
volatile uint32_t interrupts_taken;

static void (*handlers[IRQS])(void);
static uint16_t mask = (uint16_t)~(1 << CASCADE_IRQ);

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

static void write_mask(void) {
  out8(MASTER + 1, (uint8_t)mask);
  out8(SLAVE + 1, (uint8_t)(mask >> 8));
}

/* ICW1 to ICW4, then the mask. */
static void start_pics(void) {
  out8(MASTER, 0x11);
  out8(SLAVE, 0x11);
  out8(MASTER + 1, FIRST_IRQ);
  out8(SLAVE + 1, FIRST_IRQ + 8);
  out8(MASTER + 1, 1 << CASCADE_IRQ);
  out8(SLAVE + 1, CASCADE_IRQ);
  out8(MASTER + 1, 0x01);
  out8(SLAVE + 1, 0x01);
  write_mask();
}

void interrupts_start(void) {
  load_idt();
  start_pics();
}

bool irq_is_free(unsigned irq) {
  return irq < IRQS && irq != CASCADE_IRQ && !handlers[irq];
}

void handle_irq(unsigned irq, void (*handler)(void)) {
  handlers[irq] = handler;
  mask &= (uint16_t)~(1 << irq);
  write_mask();
}

/* The lowest request of a chip may be one that was taken back before the processor asked which. */
static bool is_spurious(uint16_t chip, unsigned irq) {
  if (irq % 8 != 7) return false;
  out8(chip, READ_IN_SERVICE);
  return !(in8(chip) & LAST_LINE);
}

static void take_irq(unsigned irq) {
  uint16_t chip = irq < 8 ? MASTER : SLAVE;
  bool is_real = !is_spurious(chip, irq);
  if (is_real) {
    irq_counts[irq]++;
    interrupts_taken++;
    if (handlers[irq]) handlers[irq]();
    out8(chip, END_OF_INTERRUPT);
  }
  /* The master serves the slave's line also when the slave has nothing to say. */
  if (chip == SLAVE) out8(MASTER, END_OF_INTERRUPT);
}

/* Every vector's way through; called by start.asm. */
void interrupt(struct frame *frame);

void interrupt(struct frame *frame) {
  if (frame->vector >= FIRST_IRQ) {
    take_irq(frame->vector - FIRST_IRQ);
    return;
  }
  if (frame->vector == PAGE_FAULT && repair_page_fault(frame->error_code)) return;
  print("\nexception %u, error code %x, at %x: the kernel stops\n", frame->vector, frame->error_code,
        frame->eip);
  serial_flush();
  for (;;) __asm__ volatile("cli; hlt");
}
