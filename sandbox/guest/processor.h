/* The instructions that C has no words for. */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <stdint.h>

static inline void out8(uint16_t port, uint8_t value) {
  __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port) {
  uint8_t value;
  __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
  return value;
}

static inline void interrupts_off(void) {
  __asm__ volatile("cli" : : : "memory");
}

static inline void interrupts_on(void) {
  __asm__ volatile("sti" : : : "memory");
}

/* STI holds interrupts off for one more instruction, so none can slip in between it and HLT. */
static inline void sleep_until_interrupt(void) {
  __asm__ volatile("sti; hlt" : : : "memory");
}

#endif
