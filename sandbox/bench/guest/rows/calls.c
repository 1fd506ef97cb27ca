/* Recursion: Fibonacci's numbers by their definition. The compiler must not unroll the calls. */
#include "../rows.h"

__attribute__((noipa, optimize("O1"))) static uint32_t fibonacci(uint32_t n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

uint32_t calls(void) {
  return fibonacci(29);
}
