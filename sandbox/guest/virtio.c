/*
 * virtio-mmio and split virtqueues with the event index.
 * Source: VIRTIO 1.2, 2.7 "Split Virtqueues", 3.1 "Device Initialization", 4.2 "Virtio Over MMIO".
 */
#include "virtio.h"

#include "memory.h"
#include "processor.h"

/* Registers (4.2.2). */
#define MAGIC_VALUE 0x000
#define VERSION 0x004
#define DEVICE_ID 0x008
#define DEVICE_FEATURES 0x010
#define DEVICE_FEATURES_SEL 0x014
#define DRIVER_FEATURES 0x020
#define DRIVER_FEATURES_SEL 0x024
#define QUEUE_SEL 0x030
#define QUEUE_NUM_MAX 0x034
#define QUEUE_NUM 0x038
#define QUEUE_READY 0x044
#define QUEUE_NOTIFY 0x050
#define INTERRUPT_STATUS 0x060
#define INTERRUPT_ACK 0x064
#define STATUS 0x070
#define QUEUE_DESC_LOW 0x080
#define QUEUE_DRIVER_LOW 0x090
#define QUEUE_DEVICE_LOW 0x0a0
#define HIGH_HALF 4
#define CONFIGURATION 0x100

#define MAGIC 0x74726976u /* "virt" */
#define MODERN 2

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8
#define STATUS_FAILED 128

#define FEATURE_EVENT_IDX (1u << 29)
#define FEATURE_VERSION_1 (1u << 0) /* of the upper half */

#define DESCRIPTOR_WRITE 2
#define NO_INTERRUPT 1

static uint32_t base;
static bool has_event_index;

static uint32_t get(unsigned offset) {
  return *(volatile uint32_t *)(base + offset);
}

static void set(unsigned offset, uint32_t value) {
  *(volatile uint32_t *)(base + offset) = value;
}

bool virtio_probe(uint32_t address, uint32_t kind) {
  base = address;
  return get(MAGIC_VALUE) == MAGIC && get(VERSION) == MODERN && get(DEVICE_ID) == kind;
}

uint32_t virtio_status(void) {
  return get(STATUS);
}

static void add_status(uint32_t bits) {
  set(STATUS, virtio_status() | bits);
}

/* Steps 1 to 6 of 3.1.1. */
bool virtio_begin(uint32_t wanted, uint32_t *agreed) {
  set(STATUS, 0);
  while (virtio_status()) {
  }
  add_status(STATUS_ACKNOWLEDGE);
  add_status(STATUS_DRIVER);
  set(DEVICE_FEATURES_SEL, 0);
  *agreed = get(DEVICE_FEATURES) & (wanted | FEATURE_EVENT_IDX);
  set(DRIVER_FEATURES_SEL, 0);
  set(DRIVER_FEATURES, *agreed);
  set(DRIVER_FEATURES_SEL, 1);
  set(DRIVER_FEATURES, FEATURE_VERSION_1);
  add_status(STATUS_FEATURES_OK);
  has_event_index = *agreed & FEATURE_EVENT_IDX;
  return virtio_status() & STATUS_FEATURES_OK;
}

static void set_address(unsigned low_register, const void *address) {
  set(low_register, (uint32_t)address);
  set(low_register + HIGH_HALF, 0);
}

bool virtio_add_queue(struct virtqueue *queue, uint16_t number) {
  memset(queue, 0, sizeof *queue);
  queue->number = number;
  set(QUEUE_SEL, number);
  if (get(QUEUE_NUM_MAX) < QUEUE_SIZE) return false;
  set(QUEUE_NUM, QUEUE_SIZE);
  set_address(QUEUE_DESC_LOW, queue->descriptors);
  set_address(QUEUE_DRIVER_LOW, &queue->available);
  set_address(QUEUE_DEVICE_LOW, &queue->used);
  set(QUEUE_READY, 1);
  return true;
}

void virtio_go(void) {
  add_status(STATUS_DRIVER_OK);
}

void virtio_give_up(void) {
  add_status(STATUS_FAILED);
}

uint8_t virtio_configuration(unsigned offset) {
  return *(volatile uint8_t *)(base + CONFIGURATION + offset);
}

/* Until no cause is left, as the line stays high that long, and the PIC waits for its next edge. */
uint32_t virtio_acknowledge(void) {
  uint32_t causes = 0;
  for (;;) {
    uint32_t more = get(INTERRUPT_STATUS);
    if (!more) return causes;
    set(INTERRUPT_ACK, more);
    causes |= more;
  }
}

void virtio_offer(struct virtqueue *queue, uint16_t descriptor, void *bytes, unsigned length,
                  enum direction direction) {
  queue->descriptors[descriptor].address = (uint32_t)bytes;
  queue->descriptors[descriptor].length = length;
  queue->descriptors[descriptor].flags = direction == FOR_DEVICE_TO_WRITE ? DESCRIPTOR_WRITE : 0;
  queue->available.ring[queue->offered++ % QUEUE_SIZE] = descriptor;
}

/* 2.7.13.3 and 2.7.13.4: the new index, then whether the device wants to be notified of it. */
void virtio_publish(struct virtqueue *queue) {
  uint16_t before = queue->published;
  memory_barrier();
  *(volatile uint16_t *)&queue->available.index = queue->offered;
  queue->published = queue->offered;
  memory_barrier();
  bool is_wanted;
  if (has_event_index) {
    uint16_t event = *(volatile uint16_t *)&queue->used.available_event;
    is_wanted = (uint16_t)(queue->offered - event - 1) < (uint16_t)(queue->offered - before);
  } else {
    is_wanted = !(*(volatile uint16_t *)&queue->used.flags & 1);
  }
  if (is_wanted) set(QUEUE_NOTIFY, queue->number);
}

bool virtio_take(struct virtqueue *queue, uint16_t *descriptor, unsigned *length) {
  if (*(volatile uint16_t *)&queue->used.index == queue->taken) return false;
  memory_barrier();
  *descriptor = (uint16_t)(queue->used.ring[queue->taken % QUEUE_SIZE].descriptor % QUEUE_SIZE);
  *length = queue->used.ring[queue->taken % QUEUE_SIZE].length;
  queue->taken++;
  return true;
}

bool virtio_listen(struct virtqueue *queue) {
  queue->available.flags = 0;
  queue->available.used_event = queue->taken;
  memory_barrier();
  return *(volatile uint16_t *)&queue->used.index == queue->taken;
}

/* With the event index, one that lies half a turn of the counts behind (2.7.7.1). */
void virtio_ignore(struct virtqueue *queue) {
  queue->available.flags = NO_INTERRUPT;
  queue->available.used_event = (uint16_t)(queue->taken + 0x8000);
}
