/*
 * The driver's side of virtio: a device behind virtio-mmio registers, and its split virtqueues.
 * Source: VIRTIO 1.2, 2.7 "Split Virtqueues", 4.2 "Virtio Over MMIO".
 */
#ifndef VIRTIO_H
#define VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#define QUEUE_SIZE 16

/* Status bits (2.1) and causes of an interrupt (4.2.2). */
#define STATUS_NEEDS_RESET 64
#define INTERRUPT_USED_BUFFER 1
#define INTERRUPT_CONFIGURATION 2

/* What driver and device share (2.7.5, 2.7.6, 2.7.8), and the driver's own counts. */
struct virtqueue {
  struct {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
  } descriptors[QUEUE_SIZE] __attribute__((aligned(16)));
  struct {
    uint16_t flags, index, ring[QUEUE_SIZE], used_event;
  } available __attribute__((aligned(2)));
  struct {
    uint16_t flags, index;
    struct {
      uint32_t descriptor, length;
    } ring[QUEUE_SIZE];
    uint16_t available_event;
  } used __attribute__((aligned(4)));
  uint16_t number, offered, published, taken;
};

/* Looks for a modern virtio device of this kind at an address. */
bool virtio_probe(uint32_t address, uint32_t kind);
/* Resets the device and agrees on features: those of `wanted` it has. False if it refuses. */
bool virtio_begin(uint32_t wanted, uint32_t *agreed);
bool virtio_add_queue(struct virtqueue *queue, uint16_t number);
/* All queues are set up: the device may work. */
void virtio_go(void);
/* The device is not to be used any more. */
void virtio_give_up(void);

uint32_t virtio_status(void);
uint8_t virtio_configuration(unsigned offset);
/* Takes back the interrupt; returns its causes. */
uint32_t virtio_acknowledge(void);

enum direction { FOR_DEVICE_TO_READ, FOR_DEVICE_TO_WRITE };

/* Offers one buffer; the device hears of it by `virtio_publish`. */
void virtio_offer(struct virtqueue *queue, uint16_t descriptor, void *bytes, unsigned length,
                  enum direction direction);
void virtio_publish(struct virtqueue *queue);
/* Takes back a buffer that the device is done with; false if there is none. */
bool virtio_take(struct virtqueue *queue, uint16_t *descriptor, unsigned *length);
/* Asks for an interrupt when the next buffer is done. False if one is done already. */
bool virtio_listen(struct virtqueue *queue);
/* Wants no interrupts for this queue. */
void virtio_ignore(struct virtqueue *queue);

#endif
