/*
 * The virtio network card: queue 0 receives, queue 1 sends, one buffer a frame.
 * Source: VIRTIO 1.2, 5.1 "Network Device".
 */
#include "card.h"

#include <stddef.h>

#include "counters.h"
#include "ethernet.h"
#include "interrupts.h"
#include "memory.h"
#include "options.h"
#include "paging.h"
#include "processor.h"
#include "serial.h"
#include "text.h"
#include "virtio.h"

#define NETWORK_CARD 1
#define FEATURE_MAC (1u << 5)
#define FEATURE_STATUS (1u << 16)
#define CONFIGURATION_STATUS 6
#define LINK_UP 1

uint8_t card_mac[6];

static uint32_t address = 0xd0000000;
static uint32_t irq = 5;
static bool has_status, is_link_up, is_working;
static volatile bool has_news, has_new_configuration;

static struct virtqueue receive_queue, transmit_queue;
static uint8_t receive_buffers[QUEUE_SIZE][CARD_HEADER + FRAME_SIZE];
/* The packet that each transmit descriptor sends, or NULL. */
static struct packet *sent[QUEUE_SIZE];

static void handle_interrupt(void) {
  uint32_t causes = virtio_acknowledge();
  if (causes & INTERRUPT_CONFIGURATION) has_new_configuration = true;
  if (causes) has_news = true;
}

/* virtio_mmio.device=SIZE@ADDRESS:IRQ, as Linux knows it (its "kernel-parameters", virtio_mmio.device). */
static void read_place(void) {
  const char *at = option("virtio_mmio.device=");
  if (!at) return;
  uint32_t where, line;
  while (*at && *at != ' ' && *at != '@') at++;
  if (*at++ != '@' || !read_hexadecimal(&at, &where) || *at++ != ':' || !read_number(&at, IRQS, &line) ||
      !irq_is_free(line)) {
    print("network  virtio_mmio.device= wants SIZE@0xADDRESS:IRQ, with an IRQ that is free\n");
    return;
  }
  address = where;
  irq = line;
}

static void read_link(void) {
  is_link_up = !has_status || virtio_configuration(CONFIGURATION_STATUS) & LINK_UP;
}

static void offer_receive_buffer(uint16_t descriptor) {
  virtio_offer(&receive_queue, descriptor, receive_buffers[descriptor], sizeof receive_buffers[descriptor],
               FOR_DEVICE_TO_WRITE);
}

/* From a reset on; also when the device has asked for one. */
static bool set_up(void) {
  uint32_t features;
  is_working = false;
  if (!virtio_begin(FEATURE_MAC | FEATURE_STATUS, &features) || !virtio_add_queue(&receive_queue, 0) ||
      !virtio_add_queue(&transmit_queue, 1)) {
    virtio_give_up();
    return false;
  }
  has_status = features & FEATURE_STATUS;
  if (features & FEATURE_MAC) {
    for (unsigned at = 0; at < sizeof card_mac; at++) card_mac[at] = virtio_configuration(at);
  } else {
    memcpy(card_mac, "\x02vmexi", sizeof card_mac); /* locally administered */
  }
  for (unsigned at = 0; at < QUEUE_SIZE; at++) {
    if (sent[at]) packet_free(sent[at]);
    sent[at] = NULL;
    offer_receive_buffer((uint16_t)at);
  }
  virtio_ignore(&transmit_queue);
  virtio_listen(&receive_queue);
  virtio_go();
  virtio_publish(&receive_queue);
  read_link();
  is_working = true;
  return true;
}

bool card_start(void) {
  read_place();
  map_device(address);
  if (!virtio_probe(address, NETWORK_CARD) || !set_up()) return false;
  handle_irq(irq, handle_interrupt);
  return true;
}

static void look_at_configuration(void) {
  if (virtio_status() & STATUS_NEEDS_RESET) {
    counters.card_resets++;
    set_up();
  } else {
    read_link();
  }
}

void card_poll(void) {
  if (!has_news || !is_working) return;
  has_news = false;
  if (has_new_configuration) {
    has_new_configuration = false;
    look_at_configuration();
  }
  uint16_t descriptor;
  unsigned length;
  do {
    while (virtio_take(&receive_queue, &descriptor, &length)) {
      uint8_t *buffer = receive_buffers[descriptor];
      length = smaller(length, sizeof receive_buffers[descriptor]);
      counters.frames_received++;
      if (length >= CARD_HEADER) ethernet_receive(buffer + CARD_HEADER, length - CARD_HEADER);
      offer_receive_buffer(descriptor);
      virtio_publish(&receive_queue);
    }
  } while (!virtio_listen(&receive_queue));
}

/* The packets that the device has sent are free again. */
static void reclaim(void) {
  uint16_t descriptor;
  unsigned length;
  while (virtio_take(&transmit_queue, &descriptor, &length)) {
    if (sent[descriptor]) packet_free(sent[descriptor]);
    sent[descriptor] = NULL;
  }
}

void card_send(struct packet *packet, unsigned length) {
  reclaim();
  uint16_t descriptor = 0;
  while (descriptor < QUEUE_SIZE && sent[descriptor]) descriptor++;
  if (descriptor == QUEUE_SIZE || !is_working) {
    counters.frames_not_sent++;
    packet_free(packet);
    return;
  }
  sent[descriptor] = packet;
  counters.frames_sent++;
  virtio_offer(&transmit_queue, descriptor, packet->card_header, CARD_HEADER + length, FOR_DEVICE_TO_READ);
  virtio_publish(&transmit_queue);
}

static void print_queue(const char *name, const struct virtqueue *queue) {
  print("%s available %u, used %u, of %u places\n", name, queue->published, queue->taken, QUEUE_SIZE);
}

void card_print(void) {
  reclaim();
  const char *link = is_link_up ? "up" : "down";
  print("card      virtio-net at %x, IRQ %u, %m, link %s\n", address, irq, card_mac, link);
  print_queue("receive  ", &receive_queue);
  print_queue("transmit ", &transmit_queue);
}
