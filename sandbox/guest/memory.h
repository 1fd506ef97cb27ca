/* What gcc may call even where there is no library (GCC manual, "Language Standards Supported by GCC"). */
#ifndef MEMORY_H
#define MEMORY_H

void *memcpy(void *to, const void *from, unsigned long length);
void *memset(void *to, int byte, unsigned long length);
int memcmp(const void *one, const void *other, unsigned long length);

#endif
