#ifndef SERIAL_H
#define SERIAL_H

void serial_start(void);
/* Takes what the receiver has; called at IRQ 4. */
void serial_interrupt(void);
/* The next character that came, or -1. Call with interrupts off. */
int serial_next(void);

void put(char character);
/* %s text, %c character, %u unsigned, %x eight hexadecimal digits. */
void print(const char *format, ...);

#endif
