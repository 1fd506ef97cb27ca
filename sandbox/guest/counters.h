/* What became of frames and packets. */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdint.h>

struct counters {
  uint32_t frames_received, frames_sent, frames_not_sent, card_resets;
  /* Received and thrown away: with a wrong length or sum, of a kind we do not know, for somebody else. */
  uint32_t malformed, unknown, for_others;
  uint32_t echoes_answered, datagrams, segments, retransmitted, pages_served;
};

extern struct counters counters;

#endif
