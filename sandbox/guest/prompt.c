/* The prompt: one line, one command. */
#include "prompt.h"

#include "interrupts.h"
#include "paging.h"
#include "processor.h"
#include "serial.h"

#define LONGEST 63
#define COLUMN 8
#define BACKSPACE 8
#define DELETE 127

#define KEYBOARD_COMMAND 0x64
#define PULSE_RESET 0xfe

struct command {
  const char *name, *explanation;
  void (*run)(void);
};

static uint32_t memory_kibibytes;
static int is_over;

static void mem(void) {
  print("%u KiB; paging is %s; %u pages put in on demand\n", memory_kibibytes,
        paging_is_on() ? "on" : "off", demand_pages());
}

static void show_ticks(void) {
  uint32_t now = ticks;
  print("%u ticks, %u s\n", now, now / TICKS_A_SECOND);
}

static void irq(void) {
  for (unsigned line = 0; line < 16; line++) {
    if (irq_counts[line]) print("IRQ %u  %u\n", line, irq_counts[line]);
  }
}

/* Touches a page that is not there; the handler must put one in and the same instruction go on. */
static void fault(void) {
  if (!paging_is_on()) {
    print("without paging no page can be missing\n");
    return;
  }
  volatile uint32_t *missing = (volatile uint32_t *)(DEMAND_ZONE + demand_pages() * 4096);
  *missing = 0x600df00d;
  print("wrote and read %x\n", *missing);
}

static void reboot(void) {
  out8(KEYBOARD_COMMAND, PULSE_RESET);
  interrupts_off();
}

static void halt(void) {
  is_over = 1;
}

static void help(void);

static const struct command commands[] = {
    {"help", "this list", help},
    {"mem", "memory and paging", mem},
    {"ticks", "the timer's interrupts since the start", show_ticks},
    {"irq", "how often each interrupt came", irq},
    {"fault", "touch a page that is not there", fault},
    {"reboot", "reset the machine", reboot},
    {"halt", "stop the machine", halt},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(void) {
  for (unsigned at = 0; at < COMMANDS; at++) {
    const char *name = commands[at].name;
    print("%s", name);
    for (unsigned column = 0; column < COLUMN; column++) {
      if (*name) name++;
      else put(' ');
    }
    print("%s\n", commands[at].explanation);
  }
}

static char next_character(void) {
  for (;;) {
    interrupts_off();
    int character = serial_next();
    if (character >= 0) {
      interrupts_on();
      return (char)character;
    }
    sleep_until_interrupt();
  }
}

static void read_line(char line[LONGEST + 1]) {
  unsigned length = 0;
  for (;;) {
    char character = next_character();
    if (character == '\r' || character == '\n') break;
    if (character == BACKSPACE || character == DELETE) {
      if (length > 0) {
        length--;
        print("\b \b");
      }
    } else if (character >= ' ' && length < LONGEST) {
      line[length++] = character;
      put(character);
    }
  }
  line[length] = 0;
  print("\n");
}

static int is_same(const char *one, const char *other) {
  while (*one && *one == *other) {
    one++;
    other++;
  }
  return *one == *other;
}

static void carry_out(const char *line) {
  if (!*line) return;
  for (unsigned at = 0; at < COMMANDS; at++) {
    if (is_same(line, commands[at].name)) {
      commands[at].run();
      return;
    }
  }
  print("there is no command %s; type help\n", line);
}

void prompt(uint32_t kibibytes) {
  char line[LONGEST + 1];
  memory_kibibytes = kibibytes;
  while (!is_over) {
    print("> ");
    read_line(line);
    carry_out(line);
  }
  print("halted\n");
}
