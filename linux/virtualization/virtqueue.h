#ifndef VIRTQUEUE_H
#define VIRTQUEUE_H

/* A guest's memory and its virtqueues (virtio 1.2, split), for the side of the device. The guest may write whatever it
   wants there, at any time: each address is looked for in the memory, and each number is read once and then checked. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { most_regions = 8, largest_queue = 1024 };

struct guest_region {
    uint64_t guest, user, size; /* its address in the guest and in the front end, and how long it is */
    char *bytes;
    void *mapping;
    size_t mapped;
};

struct guest_memory {
    struct guest_region regions[most_regions];
    int count;
};

/* Maps so much of the file. 0, or errno. The descriptor stays the caller's. */
int map_region(struct guest_memory *memory, int file, uint64_t guest, uint64_t user, uint64_t size, uint64_t offset);
void unmap_regions(struct guest_memory *memory);
/* The bytes at an address of the front end's, all in one region; NULL when they are not. */
void *user_bytes(const struct guest_memory *memory, uint64_t address, uint64_t length);

struct descriptor;
struct virtqueue {
    struct descriptor *descriptors;
    uint16_t *available, *used; /* flags, index, then the ring */
    uint16_t size, next_available, next_used;
    bool event_indexes, indirect; /* what the guest has taken of what was offered */
    bool broken;                  /* the guest has written rubbish; it is not looked at any more */
    uint16_t signalled;           /* next_used when the guest was last to be told */
    bool signalled_before;
};

/* What a driver has put into a queue: bytes for the device to read, then room for it to write. */
struct chain {
    uint16_t head;
    int readable_count, writable_count;
    size_t readable, writable; /* bytes */
    struct iovec *writable_pieces;
    struct iovec pieces[largest_queue]; /* first the readable ones */
};

/* Fills in the next chain, which stays in the queue. False when there is none; the queue may be broken then. */
bool next_chain(struct virtqueue *queue, const struct guest_memory *memory, struct chain *chain);
/* Takes that chain out and gives it back to the driver, with so many bytes written. */
void return_chain(struct virtqueue *queue, const struct chain *chain, uint32_t written);
/* Whether the driver wants to be told of what was returned since this was last asked. */
bool wants_interrupt(struct virtqueue *queue);
/* Asks the driver to tell when it adds a chain. True when it has added one meanwhile: it may have told nobody. */
bool await_chains(struct virtqueue *queue);
/* Says that no word is needed for now. */
void ignore_chains(struct virtqueue *queue);

/* Copies up to so many bytes out of the pieces, or into them. How many there were. */
size_t copy_from_pieces(const struct iovec *pieces, int count, void *bytes, size_t length);
size_t copy_to_pieces(const struct iovec *pieces, int count, const void *bytes, size_t length);
/* The pieces without their first bytes, and of the rest so many at most. How many pieces are left. */
int cut_pieces(struct iovec *pieces, int count, size_t skip, size_t length);

#endif
