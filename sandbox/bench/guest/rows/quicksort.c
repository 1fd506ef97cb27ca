/* Hoare's quicksort of 100,000 random numbers. */
#include "../rows.h"

#define COUNT 100000

static void sort(int32_t *first, int32_t *last) {
  while (first < last) {
    int32_t pivot = first[(last - first) / 2];
    int32_t *low = first - 1, *high = last + 1;
    for (;;) {
      do low++;
      while (*low < pivot);
      do high--;
      while (*high > pivot);
      if (low >= high) break;
      int32_t swapped = *low;
      *low = *high;
      *high = swapped;
    }
    sort(first, high);
    first = high + 1;
  }
}

uint32_t quicksort(void) {
  int32_t *numbers = (int32_t *)arena;
  uint32_t checksum = 0, seed = 7;
  for (int i = 0; i < COUNT; i++) numbers[i] = next_random(&seed);
  sort(numbers, numbers + COUNT - 1);
  for (int i = 0; i < COUNT; i++) checksum = fold(checksum, numbers[i]);
  return checksum;
}
