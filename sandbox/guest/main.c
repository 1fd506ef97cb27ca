/* The embedded guest: a kernel of a few kilobytes that uses every layer of the machine. */
#include <stdint.h>

#include "interrupts.h"
#include "paging.h"
#include "processor.h"
#include "prompt.h"
#include "serial.h"

#define MEMORY_KNOWN 0x1
#define COMMAND_LINE_KNOWN 0x4

/* The multiboot information's first fields (Multiboot Specification 0.6.96, 3.3). */
struct boot_information {
  uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
};

static int has_word(const char *line, const char *word) {
  for (; *line; line++) {
    unsigned length = 0;
    while (word[length] && line[length] == word[length]) length++;
    if (!word[length] && (line[length] == ' ' || !line[length])) return 1;
    while (*line && *line != ' ') line++;
    if (!*line) return 0;
  }
  return 0;
}

void main(const struct boot_information *information) {
  uint32_t kibibytes = information->flags & MEMORY_KNOWN ? 1024 + information->memory_upper : 4096;
  const char *options = information->flags & COMMAND_LINE_KNOWN ? (const char *)information->command_line : "";
  serial_start();
  print("\nvmexit: a small kernel on a small machine (gcc " __VERSION__ ")\n");
  print("memory   %u KiB\n", kibibytes);
  interrupts_start();
  if (has_word(options, "nopaging")) {
    print("paging   off, as you asked\n");
  } else {
    paging_start(kibibytes * 1024);
    print("paging   on\n");
  }
  interrupts_on();
  uint32_t start = ticks;
  while (ticks - start < 3) sleep_until_interrupt();
  print("timer    %u ticks a second\n", TICKS_A_SECOND);
  print("Type help.\n");
  prompt(kibibytes);
}
