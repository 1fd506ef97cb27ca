#ifndef PROMPT_H
#define PROMPT_H

#include <stdint.h>

extern uint32_t memory_kibibytes;

/* Reads and carries out commands; comes back when the machine shall stop. */
void prompt(void);

#endif
