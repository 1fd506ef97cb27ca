#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

#define PAGE_FAULT 14
#define FIRST_IRQ 32

/* What a stub of start.asm and the processor have pushed. */
struct frame {
  uint32_t edi, esi, ebp, esp, ebx, edx, ecx, eax;
  uint32_t vector, error_code;
  uint32_t eip, cs, eflags;
};

/* How often each IRQ came. */
extern volatile uint32_t irq_counts[16];
/* Ticks of the timer since the start. */
extern volatile uint32_t ticks;

#define TICKS_A_SECOND 100

/* IDT, the two 8259A, the 8254; interrupts stay off. */
void interrupts_start(void);

#endif
