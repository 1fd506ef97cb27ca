#ifndef CHECKSUM_H
#define CHECKSUM_H

#include "bytes.h"

/* The ones' complement sum of bytes, on top of `sum`; only the last piece of a message may be of odd length. */
uint32_t sum_of(const void *bytes, unsigned length, uint32_t sum);
/* The sum over the addresses, protocol and length that TCP and UDP include (RFC 9293, 3.1). */
uint32_t pseudo_header_sum(uint32_t one, uint32_t other, unsigned protocol, unsigned length);
/* The checksum that makes such a sum 0: of a message that carries its own, 0. */
uint16_t checksum_of(uint32_t sum);

#endif
