#ifndef PROMPT_H
#define PROMPT_H

#include <stdint.h>

/* Reads and carries out commands; comes back when the machine shall stop. */
void prompt(uint32_t kibibytes);

#endif
