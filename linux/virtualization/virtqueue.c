#include "virtqueue.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

enum { has_next = 1, is_writable = 2, is_table = 4, no_interrupt = 1, no_notify = 1 };

int map_region(struct guest_memory *memory, int file, uint64_t guest, uint64_t user, uint64_t size, uint64_t offset) {
    struct stat status;
    if (memory->count == most_regions) return E2BIG;
    if (size == 0 || guest + size < guest || user + size < user || size + offset < size) return EINVAL;
    /* What is mapped beyond the end of a file would kill whoever touches it. */
    if (fstat(file, &status) != 0) return errno;
    if (status.st_size < 0 || (uint64_t)status.st_size < size + offset) return EINVAL;
    size_t mapped = (size_t)(size + offset); /* from the start, since the offset need not be at a page's */
    void *mapping = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file, 0);
    if (mapping == MAP_FAILED) return errno;
    madvise(mapping, mapped, MADV_DONTDUMP);
    memory->regions[memory->count++] = (struct guest_region){guest, user, size, (char *)mapping + offset, mapping, mapped};
    return 0;
}

void unmap_regions(struct guest_memory *memory) {
    for (int i = 0; i < memory->count; i++) munmap(memory->regions[i].mapping, memory->regions[i].mapped);
    memory->count = 0;
}

static const struct guest_region *region_with(const struct guest_memory *memory, uint64_t address) {
    for (int i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];
        if (address >= region->guest && address - region->guest < region->size) return region;
    }
    return NULL;
}

void *user_bytes(const struct guest_memory *memory, uint64_t address, uint64_t length) {
    for (int i = 0; i < memory->count; i++) {
        const struct guest_region *region = &memory->regions[i];
        if (address < region->user || address - region->user >= region->size) continue;
        uint64_t offset = address - region->user;
        return region->size - offset >= length ? region->bytes + offset : NULL;
    }
    return NULL;
}

static uint16_t load(const uint16_t *number) {
    return __atomic_load_n(number, __ATOMIC_ACQUIRE);
}

static void store(uint16_t *number, uint16_t value) {
    __atomic_store_n(number, value, __ATOMIC_RELEASE);
}

static struct descriptor read_descriptor(const struct descriptor *descriptors, unsigned index) {
    struct descriptor copy;
    memcpy(&copy, &descriptors[index], sizeof copy);
    return copy;
}

/* Adds what a descriptor says, which may be in more than one region. */
static bool add_pieces(struct chain *chain, const struct guest_memory *memory, const struct descriptor *descriptor) {
    uint64_t address = descriptor->address, left = descriptor->length;
    bool writable = descriptor->flags & is_writable;
    if (!writable && chain->writable_count) return false;
    while (left > 0) {
        const struct guest_region *region = region_with(memory, address);
        int count = chain->readable_count + chain->writable_count;
        if (!region || count == largest_queue) return false;
        uint64_t offset = address - region->guest;
        uint64_t length = region->size - offset < left ? region->size - offset : left;
        chain->pieces[count] = (struct iovec){region->bytes + offset, (size_t)length};
        *(writable ? &chain->writable_count : &chain->readable_count) += 1;
        *(writable ? &chain->writable : &chain->readable) += (size_t)length;
        address += length;
        left -= length;
    }
    return true;
}

/* The table is the queue's own or one that a descriptor points to. A chain that is longer than its table is a loop. */
static bool add_chain(struct chain *chain, const struct virtqueue *queue, const struct guest_memory *memory,
                      const struct descriptor *table, unsigned size, unsigned index, bool nested) {
    for (unsigned steps = 0; steps < size; steps++) {
        if (index >= size) return false;
        struct descriptor descriptor = read_descriptor(table, index);
        if (descriptor.flags & is_table) {
            unsigned entries = descriptor.length / sizeof descriptor;
            if (nested || !queue->indirect || descriptor.flags & has_next) return false;
            if (entries == 0 || entries > largest_queue || descriptor.length % sizeof descriptor) return false;
            const struct guest_region *region = region_with(memory, descriptor.address);
            if (!region || region->size - (descriptor.address - region->guest) < descriptor.length) return false;
            const char *inner = region->bytes + (descriptor.address - region->guest);
            return add_chain(chain, queue, memory, (const struct descriptor *)inner, entries, 0, true);
        }
        if (!add_pieces(chain, memory, &descriptor)) return false;
        if (!(descriptor.flags & has_next)) return true;
        index = descriptor.next;
    }
    return false;
}

bool next_chain(struct virtqueue *queue, const struct guest_memory *memory, struct chain *chain) {
    if (queue->broken) return false;
    uint16_t waiting = (uint16_t)(load(&queue->available[1]) - queue->next_available);
    if (waiting == 0) return false;
    chain->readable_count = chain->writable_count = 0;
    chain->readable = chain->writable = 0;
    queue->broken = true; /* unless all goes well */
    if (waiting > queue->size) return false;
    chain->head = load(&queue->available[2 + queue->next_available % queue->size]);
    if (!add_chain(chain, queue, memory, queue->descriptors, queue->size, chain->head, false)) return false;
    chain->writable_pieces = chain->pieces + chain->readable_count;
    queue->broken = false;
    return true;
}

void return_chain(struct virtqueue *queue, const struct chain *chain, uint32_t written) {
    uint32_t element[2] = {chain->head, written};
    memcpy((char *)queue->used + 4 + 8 * (queue->next_used % queue->size), element, sizeof element);
    queue->next_available++;
    queue->next_used++;
    store(&queue->used[1], queue->next_used);
}

bool wants_interrupt(struct virtqueue *queue) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* the driver writes what it wants, and then looks at what is there */
    uint16_t before = queue->signalled;
    bool first = !queue->signalled_before;
    if (!first && before == queue->next_used) return false;
    queue->signalled = queue->next_used;
    queue->signalled_before = true;
    if (!queue->event_indexes) return !(load(&queue->available[0]) & no_interrupt);
    uint16_t wanted = load(&queue->available[2 + queue->size]);
    return first || (uint16_t)(queue->next_used - wanted - 1) < (uint16_t)(queue->next_used - before);
}

static uint16_t *available_event(struct virtqueue *queue) {
    return &queue->used[2 + 4 * queue->size];
}

bool await_chains(struct virtqueue *queue) {
    if (queue->broken) return false;
    if (queue->event_indexes) {
        store(available_event(queue), queue->next_available);
    } else {
        store(&queue->used[0], 0);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return load(&queue->available[1]) != queue->next_available;
}

void ignore_chains(struct virtqueue *queue) {
    if (!queue->event_indexes) store(&queue->used[0], no_notify);
}

size_t copy_from_pieces(const struct iovec *pieces, int count, void *bytes, size_t length) {
    size_t done = 0;
    for (int i = 0; i < count && done < length; i++) {
        size_t part = pieces[i].iov_len < length - done ? pieces[i].iov_len : length - done;
        memcpy((char *)bytes + done, pieces[i].iov_base, part);
        done += part;
    }
    return done;
}

size_t copy_to_pieces(const struct iovec *pieces, int count, const void *bytes, size_t length) {
    size_t done = 0;
    for (int i = 0; i < count && done < length; i++) {
        size_t part = pieces[i].iov_len < length - done ? pieces[i].iov_len : length - done;
        memcpy(pieces[i].iov_base, (const char *)bytes + done, part);
        done += part;
    }
    return done;
}

int cut_pieces(struct iovec *pieces, int count, size_t skip, size_t length) {
    int kept = 0;
    for (int i = 0; i < count && length > 0; i++) {
        struct iovec piece = pieces[i];
        size_t skipped = piece.iov_len < skip ? piece.iov_len : skip;
        skip -= skipped;
        if (piece.iov_len == skipped) continue;
        size_t part = piece.iov_len - skipped < length ? piece.iov_len - skipped : length;
        pieces[kept++] = (struct iovec){(char *)piece.iov_base + skipped, part};
        length -= part;
    }
    return kept;
}
