/* The embedded guest: a small kernel that uses every layer of the machine. */
#include <stdint.h>

#include "interrupts.h"
#include "network.h"
#include "options.h"
#include "paging.h"
#include "processor.h"
#include "prompt.h"
#include "serial.h"
#include "timer.h"

#define MEMORY_KNOWN 0x1
#define COMMAND_LINE_KNOWN 0x4

/* The multiboot information's first fields (Multiboot Specification 0.6.96, 3.3). */
struct boot_information {
  uint32_t flags, memory_lower, memory_upper, boot_device, command_line;
};

void main(const struct boot_information *information);

void main(const struct boot_information *information) {
  memory_kibibytes = information->flags & MEMORY_KNOWN ? 1024 + information->memory_upper : 4096;
  if (information->flags & COMMAND_LINE_KNOWN) options_are((const char *)information->command_line);
  interrupts_start();
  serial_start();
  print("\nvmexit: a small kernel on a small machine (gcc " __VERSION__ ")\n");
  print("memory   %u KiB\n", memory_kibibytes);
  if (has_option("nopaging")) {
    print("paging   off, as you asked\n");
  } else {
    paging_start(memory_kibibytes * 1024);
    print("paging   on\n");
  }
  timer_start();
  interrupts_on();
  while (ticks < 3) sleep_until_interrupt();
  print("timer    %u ticks a second\n", TICKS_A_SECOND);
  network_start();
  print("Type help.\n");
  prompt();
  serial_flush();
}
