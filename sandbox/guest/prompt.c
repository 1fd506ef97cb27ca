/* The prompt: one line, one command. */
#include "prompt.h"

#include <stdbool.h>

#include "http.h"
#include "icmp.h"
#include "interrupts.h"
#include "line.h"
#include "network.h"
#include "paging.h"
#include "processor.h"
#include "serial.h"
#include "text.h"
#include "timer.h"

#define COLUMN 24

#define KEYBOARD_COMMAND 0x64
#define PULSE_RESET 0xfe

#define PINGS 4
#define MOST_PINGS 10000

/* `arguments` is what stands behind the name and its spaces. */
struct command {
  const char *name, *arguments, *explanation;
  void (*run)(const char *arguments);
};

uint32_t memory_kibibytes;
static bool is_over;

static void mem(const char *arguments) {
  (void)arguments;
  print("%u KiB; paging is %s; %u pages put in on demand\n", memory_kibibytes,
        paging_is_on() ? "on" : "off", demand_pages());
}

static void show_ticks(const char *arguments) {
  (void)arguments;
  uint32_t now = ticks;
  print("%u ticks, %u s\n", now, now / TICKS_A_SECOND);
}

static void irq(const char *arguments) {
  (void)arguments;
  for (unsigned line = 0; line < IRQS; line++) {
    if (irq_counts[line]) print("IRQ %u  %u\n", line, irq_counts[line]);
  }
}

/* Touches a page that is not there; the handler must put one in and the same instruction go on. */
static void fault(const char *arguments) {
  (void)arguments;
  if (!paging_is_on()) {
    print("without paging no page can be missing\n");
    return;
  }
  volatile uint32_t *missing = (volatile uint32_t *)(DEMAND_ZONE + demand_pages() * 4096);
  *missing = 0x600df00d;
  print("wrote and read %x\n", *missing);
}

static void reboot(const char *arguments) {
  (void)arguments;
  serial_flush();
  out8(KEYBOARD_COMMAND, PULSE_RESET);
}

static void halt(const char *arguments) {
  (void)arguments;
  is_over = true;
}

static void help(const char *arguments);

static void net(const char *arguments) {
  (void)arguments;
  network_print();
}

static void ping_somebody(const char *arguments) {
  uint32_t address, count = PINGS;
  bool is_good = read_address(&arguments, &address);
  while (*arguments == ' ') arguments++;
  if (is_good && *arguments) is_good = read_number(&arguments, MOST_PINGS, &count) && !*arguments;
  if (!is_good) print("ping whom? An address and perhaps a count, as in: ping 10.0.2.2 3\n");
  else if (!network_is_there()) print("there is no network\n");
  else ping(address, count);
}

static void fetch_page(const char *arguments) {
  if (network_is_there()) fetch(arguments);
  else print("there is no network\n");
}

static const struct command commands[] = {
    {"help", "", "this list", help},
    {"mem", "", "memory and paging", mem},
    {"ticks", "", "the timer's interrupts since the start", show_ticks},
    {"irq", "", "how often each interrupt came", irq},
    {"net", "", "the card, the address, and what became of packets", net},
    {"ping", " ADDRESS [COUNT]", "is anybody there?", ping_somebody},
    {"fetch", " ADDRESS[/PATH]", "print a page of a web server", fetch_page},
    {"fault", "", "touch a page that is not there", fault},
    {"reboot", "", "reset the machine", reboot},
    {"halt", "", "stop the machine", halt},
};
#define COMMANDS (sizeof commands / sizeof commands[0])

static void help(const char *arguments) {
  (void)arguments;
  for (unsigned at = 0; at < COMMANDS; at++) {
    char place[COLUMN];
    struct text name = {place, 0, sizeof place - 1};
    append(&name, "%s%s", commands[at].name, commands[at].arguments);
    while (name.length < name.room) append(&name, " ");
    place[name.length] = 0;
    print("%s%s\n", place, commands[at].explanation);
  }
}

static void carry_out(const char *line) {
  while (*line == ' ') line++;
  if (!*line) return;
  for (unsigned at = 0; at < COMMANDS; at++) {
    const char *rest = after(line, commands[at].name);
    if (!rest || (*rest && *rest != ' ')) continue;
    while (*rest == ' ') rest++;
    commands[at].run(rest);
    return;
  }
  print("there is no command %s; type help\n", line);
}

void prompt(void) {
  char line[LONGEST_LINE + 1];
  while (!is_over) {
    print("> ");
    read_line(line);
    carry_out(line);
  }
  print("halted\n");
}
