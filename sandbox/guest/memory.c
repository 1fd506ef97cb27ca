/* Copying, filling and comparing. */
#include "memory.h"

void *memcpy(void *to, const void *from, unsigned long length) {
  void *at = to;
  __asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(length) : : "memory");
  return to;
}

void *memset(void *to, int byte, unsigned long length) {
  void *at = to;
  __asm__ volatile("rep stosb" : "+D"(at), "+c"(length) : "a"(byte) : "memory");
  return to;
}

int memcmp(const void *one, const void *other, unsigned long length) {
  const unsigned char *left = one, *right = other;
  for (; length; length--, left++, right++) {
    if (*left != *right) return *left - *right;
  }
  return 0;
}
