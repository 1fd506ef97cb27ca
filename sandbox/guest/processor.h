/* The instructions that C has no words for. */
#ifndef PROCESSOR_H
#define PROCESSOR_H

#include <stdbool.h>
#include <stdint.h>

#define FLAG_INTERRUPTS 0x200u

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

/* Turns interrupts off; returns whether they were on, for `interrupts_resume`. */
static inline bool interrupts_pause(void) {
  uint32_t flags;
  __asm__ volatile("pushf; pop %0; cli" : "=r"(flags) : : "memory");
  return flags & FLAG_INTERRUPTS;
}

static inline void interrupts_resume(bool were_on) {
  if (were_on) interrupts_on();
}

/* STI holds interrupts off for one more instruction, so none can slip in between it and HLT. */
static inline void sleep_until_interrupt(void) {
  __asm__ volatile("sti; hlt" : : : "memory");
}

/* All reads and writes before it are done before those behind it, as another processor sees them. */
static inline void memory_barrier(void) {
  __asm__ volatile("lock; addl $0, (%%esp)" : : : "memory", "cc");
}

#endif
