#ifndef TIMER_H
#define TIMER_H

#include <stdint.h>

#define TICKS_A_SECOND 100

/* Ticks since the start: an interrupt every 10 ms. */
extern volatile uint32_t ticks;

void timer_start(void);
/* The timer's clock, 1,193,182 counts a second; for differences, as it begins anew every hour. */
uint32_t timer_counts(void);
/* For a span of less than 5 s. */
uint32_t microseconds(uint32_t counts);

#endif
