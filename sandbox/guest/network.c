/*
 * The network as a whole. All of it runs in turns of network_idle and never in an interrupt, so that nothing
 * in it can be interrupted by itself.
 */
#include "network.h"

#include "arp.h"
#include "card.h"
#include "counters.h"
#include "dhcp.h"
#include "http.h"
#include "interrupts.h"
#include "ip.h"
#include "options.h"
#include "processor.h"
#include "serial.h"
#include "tcp.h"
#include "text.h"
#include "timer.h"

#define SECONDS_FOR_A_LEASE 3

struct counters counters;

static bool is_there;
static uint32_t last_tick, ticks_of_second;
static uint32_t random_state;

/* Marsaglia, "Xorshift RNGs" (2003), triple 13 17 5; stirred with the time. */
uint32_t random_number(void) {
  random_state ^= timer_counts();
  if (!random_state) random_state = 1;
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return random_state;
}

bool network_is_there(void) {
  return is_there;
}

static void second(void) {
  arp_second();
  dhcp_second();
}

static void run_timers(void) {
  uint32_t gone = ticks - last_tick;
  last_tick += gone;
  tcp_tick();
  ticks_of_second += gone;
  while (ticks_of_second >= TICKS_A_SECOND) {
    ticks_of_second -= TICKS_A_SECOND;
    second();
  }
}

/* What came since the caller looked lets it look again: so nothing is slept through. */
void network_idle(void) {
  static uint32_t interrupts_seen;
  interrupts_off();
  if (interrupts_taken == interrupts_seen) sleep_until_interrupt();
  interrupts_on();
  interrupts_seen = interrupts_taken;
  if (!is_there) return;
  card_poll();
  run_timers();
}

/* ip=ADDRESS/BITS or ip=ADDRESS/BITS,GATEWAY. Returns false if that is not there. */
static bool read_host(void) {
  const char *at = option("ip=");
  if (!at) return false;
  struct ip_host host = {0};
  uint32_t bits;
  bool is_good = read_address(&at, &host.address) && *at++ == '/' && read_number(&at, 32, &bits);
  if (is_good && *at == ',') {
    at++;
    is_good = read_address(&at, &host.gateway);
  }
  if (!is_good || !host.address || (*at && *at != ' ')) {
    print("network  ip= wants ADDRESS/BITS or ADDRESS/BITS,GATEWAY\n");
    return false;
  }
  host.mask = bits ? 0xffffffff << (32 - bits) : 0;
  ip_host = host;
  return true;
}

void network_start(void) {
  if (has_option("nonet")) {
    print("network  off, as you asked\n");
    return;
  }
  if (!card_start()) {
    print("network  no card\n");
    return;
  }
  is_there = true;
  for (unsigned at = 0; at < sizeof card_mac; at++) random_state = random_state * 31 + card_mac[at];
  last_tick = ticks;
  http_start();
  if (read_host()) {
    arp_announce();
  } else {
    dhcp_start();
    uint32_t start = ticks;
    while (!ip_host.address && ticks - start < SECONDS_FOR_A_LEASE * TICKS_A_SECOND) network_idle();
  }
  if (ip_host.address) print("network  %i, gateway %i\n", ip_host.address, ip_host.gateway);
  else print("network  no lease yet; net tells how it goes\n");
}

static unsigned mask_bits(void) {
  unsigned bits = 0;
  for (uint32_t mask = ip_host.mask; mask; mask <<= 1) bits++;
  return bits;
}

void network_print(void) {
  if (!is_there) {
    print("there is no network\n");
    return;
  }
  char line[80];
  struct text text = {line, 0, sizeof line - 1};
  dhcp_describe(&text);
  line[text.length] = 0;
  card_print();
  print("address   %i/%u, %s\n", ip_host.address, mask_bits(), line);
  print("gateway   %i\n", ip_host.gateway);
  arp_print();
  print("frames    %u received, %u sent, %u not sent, %u resets of the card\n", counters.frames_received,
        counters.frames_sent, counters.frames_not_sent, counters.card_resets);
  print("dropped   %u malformed, %u unknown, %u for others\n", counters.malformed, counters.unknown,
        counters.for_others);
  print("answered  %u echoes, %u pages; %u datagrams and %u segments came, %u sent again\n",
        counters.echoes_answered, counters.pages_served, counters.datagrams, counters.segments,
        counters.retransmitted);
  tcp_print();
}
