/* Eratosthenes: the primes below a million, one byte a number. */
#include "../rows.h"

#define LIMIT 1000000

uint32_t sieve(void) {
  uint32_t primes = 0;
  for (uint32_t n = 2; n < LIMIT; n++) arena[n] = 1;
  for (uint32_t n = 2; n < LIMIT; n++) {
    if (!arena[n]) continue;
    primes++;
    for (uint32_t multiple = 2 * n; multiple < LIMIT; multiple += n) arena[multiple] = 0;
  }
  return primes;
}
