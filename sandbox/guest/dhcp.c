/*
 * The DHCP client: an address for a time, and renewed before that is over.
 * Source: RFC 2131, 4.4 "DHCP client behavior" (figure 5 has the states); RFC 2132 for the options.
 */
#include "dhcp.h"

#include <stdbool.h>
#include <stddef.h>

#include "arp.h"
#include "bytes.h"
#include "card.h"
#include "memory.h"
#include "network.h"
#include "text.h"

#define SERVER_PORT 67
#define BOOT_REQUEST 1
#define BOOT_REPLY 2
#define FLAG_BROADCAST 0x8000
#define MAGIC_COOKIE 0x63825363u

/* Options (RFC 2132). */
#define PAD 0
#define SUBNET_MASK 1
#define ROUTER 3
#define REQUESTED_ADDRESS 50
#define LEASE_TIME 51
#define MESSAGE_TYPE 53
#define SERVER_IDENTIFIER 54
#define PARAMETERS_WANTED 55
#define RENEWAL_TIME 58
#define REBINDING_TIME 59
#define END 255

enum message_type { DISCOVER = 1, OFFER, REQUEST, DECLINE, ACK, NAK };

#define FIRST_WAIT 4 /* seconds, doubled up to: */
#define LONGEST_WAIT 64
#define SHORTEST_RENEWAL_WAIT 60
#define REQUESTS_BEFORE_ANEW 4
#define FOR_EVER 0xffffffffu

struct dhcp_message {
  uint8_t operation, hardware_type, hardware_length, hops;
  be32 transaction;
  be16 seconds, flags;
  be32 client, your, server, relay;
  uint8_t hardware[16], server_name[64], file[128];
  be32 cookie;
};
#define OPTIONS_SENT 64

/* What the options of a message say; 0 where they say nothing. */
struct offer {
  unsigned type;
  uint32_t address, mask, router, server;
  uint32_t lease, renewal, rebinding;
};

static enum { OFF, SELECTING, REQUESTING, BOUND, RENEWING, REBINDING } state;
static struct offer lease;
static uint32_t transaction;
/* Seconds: since the lease began, until something is sent next, between that and the time after. */
static uint32_t age, until_next, wait;
static unsigned requests;

static uint8_t *add_address(uint8_t *at, unsigned option, uint32_t address) {
  be32 value = to32(address);
  *at++ = (uint8_t)option;
  *at++ = sizeof value;
  memcpy(at, &value, sizeof value);
  return at + sizeof value;
}

/* Table 5 of RFC 2131 says which message carries what. */
static void send(enum message_type type) {
  static const uint8_t wanted[] = {PARAMETERS_WANTED, 5, SUBNET_MASK, ROUTER, LEASE_TIME, RENEWAL_TIME,
                                   REBINDING_TIME};
  struct packet *packet = packet_take();
  if (!packet) return;
  struct dhcp_message *message = (void *)udp_payload(packet);
  memset(message, 0, sizeof *message + OPTIONS_SENT);
  message->operation = BOOT_REQUEST;
  message->hardware_type = 1;
  message->hardware_length = sizeof card_mac;
  memcpy(message->hardware, card_mac, sizeof card_mac);
  message->transaction = to32(transaction);
  message->client = to32(ip_host.address);
  if (!ip_host.address) message->flags = to16(FLAG_BROADCAST);
  message->cookie = to32(MAGIC_COOKIE);
  uint8_t *at = (uint8_t *)(message + 1);
  *at++ = MESSAGE_TYPE;
  *at++ = 1;
  *at++ = (uint8_t)type;
  if (state == REQUESTING) {
    at = add_address(at, REQUESTED_ADDRESS, lease.address);
    at = add_address(at, SERVER_IDENTIFIER, lease.server);
  }
  memcpy(at, wanted, sizeof wanted);
  at += sizeof wanted;
  *at = END;
  uint32_t destination = state == RENEWING ? lease.server : IP_BROADCAST;
  udp_send(packet, destination, DHCP_CLIENT_PORT, SERVER_PORT, sizeof *message + OPTIONS_SENT);
}

/* Each wait is twice the one before, give or take a second so that hosts do not ask in chorus (4.1). */
static void wait_twice_as_long(void) {
  wait = wait ? smaller(2 * wait, LONGEST_WAIT) : FIRST_WAIT;
  until_next = wait - 1 + random_number() % 3;
}

static void begin(void) {
  ip_host.address = ip_host.mask = ip_host.gateway = 0;
  state = SELECTING;
  transaction = random_number();
  wait = 0;
  send(DISCOVER);
  wait_twice_as_long();
}

void dhcp_start(void) {
  begin();
}

static uint32_t number_in(const uint8_t *data, unsigned length) {
  be32 value;
  if (length < sizeof value) return 0;
  memcpy(&value, data, sizeof value);
  return from32(value);
}

/* Options are a number, a length and as many bytes; an option that is cut short ends them. */
static struct offer read_options(const uint8_t *at, const uint8_t *end) {
  struct offer offer = {0};
  while (at < end && *at != END) {
    if (*at == PAD) {
      at++;
      continue;
    }
    if (end - at < 2 || end - at - 2 < at[1]) break;
    const uint8_t *data = at + 2;
    unsigned length = at[1];
    switch (*at) {
      case MESSAGE_TYPE:
        if (length) offer.type = *data;
        break;
      case SUBNET_MASK:
        offer.mask = number_in(data, length);
        break;
      case ROUTER:
        offer.router = number_in(data, length);
        break;
      case SERVER_IDENTIFIER:
        offer.server = number_in(data, length);
        break;
      case LEASE_TIME:
        offer.lease = number_in(data, length);
        break;
      case RENEWAL_TIME:
        offer.renewal = number_in(data, length);
        break;
      case REBINDING_TIME:
        offer.rebinding = number_in(data, length);
    }
    at = data + length;
  }
  return offer;
}

static void request(const struct offer *offer) {
  lease = *offer;
  state = REQUESTING;
  requests = 1;
  wait = 0;
  send(REQUEST);
  wait_twice_as_long();
}

/* Renewal begins after half of the time, rebinding after seven eighths, if the server says nothing (4.4.5). */
static void bind(const struct offer *acknowledged) {
  bool is_new = ip_host.address != acknowledged->address;
  uint32_t server = acknowledged->server ? acknowledged->server : lease.server;
  lease = *acknowledged;
  lease.server = server;
  if (!lease.lease) lease.lease = FOR_EVER;
  if (!lease.renewal || lease.renewal > lease.lease) lease.renewal = lease.lease / 2;
  if (lease.rebinding < lease.renewal || lease.rebinding > lease.lease)
    lease.rebinding = lease.lease - lease.lease / 8;
  state = BOUND;
  age = 0;
  ip_host.address = lease.address;
  ip_host.mask = lease.mask ? lease.mask : 0xffffff00;
  ip_host.gateway = lease.router;
  if (is_new) arp_announce();
}

void dhcp_receive(const struct datagram *datagram) {
  const struct dhcp_message *message = (const void *)datagram->data;
  if (datagram->length < sizeof *message || message->operation != BOOT_REPLY ||
      from32(message->transaction) != transaction || from32(message->cookie) != MAGIC_COOKIE ||
      memcmp(message->hardware, card_mac, sizeof card_mac)) {
    return;
  }
  struct offer offer = read_options((const uint8_t *)(message + 1), datagram->data + datagram->length);
  offer.address = from32(message->your);
  bool is_waiting = state == REQUESTING || state == RENEWING || state == REBINDING;
  if (offer.type == OFFER && state == SELECTING && offer.address && offer.server) request(&offer);
  else if (offer.type == ACK && is_waiting && offer.address) bind(&offer);
  else if (offer.type == NAK && is_waiting) begin();
}

/* Half of the time that is left until `end`, but no less than a minute (4.4.5). */
static void wait_half_until(uint32_t end) {
  until_next = end > age ? (end - age) / 2 : 0;
  if (until_next < SHORTEST_RENEWAL_WAIT) until_next = SHORTEST_RENEWAL_WAIT;
}

static void ask_to_extend(void) {
  if (state == BOUND) transaction = random_number();
  state = age < lease.rebinding ? RENEWING : REBINDING;
  send(REQUEST);
  wait_half_until(state == RENEWING ? lease.rebinding : lease.lease);
}

void dhcp_second(void) {
  age++;
  if (until_next) until_next--;
  switch (state) {
    case OFF:
      break;
    case SELECTING:
      if (until_next) break;
      send(DISCOVER);
      wait_twice_as_long();
      break;
    case REQUESTING:
      if (until_next) break;
      if (requests++ == REQUESTS_BEFORE_ANEW) {
        begin();
        break;
      }
      send(REQUEST);
      wait_twice_as_long();
      break;
    case BOUND:
      if (lease.lease != FOR_EVER && age >= lease.renewal) ask_to_extend();
      break;
    case RENEWING:
      if (!until_next || age >= lease.rebinding) ask_to_extend();
      break;
    case REBINDING:
      if (age >= lease.lease) begin();
      else if (!until_next) ask_to_extend();
  }
}

void dhcp_describe(struct text *text) {
  switch (state) {
    case OFF:
      append(text, "%s", ip_host.address ? "set by hand" : "none");
      break;
    case SELECTING:
      append(text, "looking for a DHCP server");
      break;
    case REQUESTING:
      append(text, "asking %i for %i", lease.server, lease.address);
      break;
    default:
      append(text, "%s from %i", state == BOUND ? "leased" : "being renewed, leased", lease.server);
      if (lease.lease == FOR_EVER) append(text, " for ever");
      else append(text, ", %u s left", lease.lease - smaller(age, lease.lease));
  }
}
