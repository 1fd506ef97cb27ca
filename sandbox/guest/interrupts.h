#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

#define IRQS 16

/* How often each IRQ came. */
extern volatile uint32_t irq_counts[IRQS];
/* And all of them together. */
extern volatile uint32_t interrupts_taken;

/* The interrupt table and the two 8259A, all their lines masked; interrupts stay off. */
void interrupts_start(void);
/* Whether a device can have this line for itself. */
bool irq_is_free(unsigned irq);
/* Opens a line; `handler` runs with interrupts off. */
void handle_irq(unsigned irq, void (*handler)(void));

#endif
