// The front end of a socket device, in place of QEMU, with a hostile guest: rings of rubbish, and between them a guest in
// its right mind, which must be served. Then front ends that talk rubbish. `vsock_fuzz SEED DESCRIPTORS`.
#include "vsock_device.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MiB = 1 << 20, memory_size = 16 * MiB, middle = memory_size / 2, guest_base = 1 << 30 };
enum { patience = 20000, header_size = 44, buffer_size = 2048, most_held = 64, first_port = 49152 };
static const uint64_t user_base = 0x7f0000000000;

static uint64_t state;
static uint64_t any(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}
static uint64_t below(uint64_t limit) { return any() % limit; }
static bool once_in(unsigned times) { return below(times) == 0; }

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    abort();
}

/* ---- What follows the guest's memory in the back end's is to be hit by nobody */

enum { guard = 4 * MiB };
void *__real_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset);
int __real_munmap(void *at, size_t length);

void *__wrap_mmap(void *at, size_t length, int protection, int flags, int file, off_t offset) {
    char *all = __real_mmap(NULL, length + guard, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) return all;
    return __real_mmap(all, length, protection, flags | MAP_FIXED, file, offset);
}

int __wrap_munmap(void *at, size_t length) {
    return __real_munmap(at, length + guard);
}

/* ---- The client: keeps some connections, and does with them whatever comes to its mind */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct vsock_device *device;
static int held[most_held], held_count, ended_count, dialled, settled, polite = -1;
static bool is_polite;

static void hold(int descriptor) {
    if (held_count == most_held) close(held[--held_count]);
    held[held_count++] = descriptor;
}

static void on_request(void *context, struct vsock_request request) {
    int ends[2];
    pthread_mutex_lock(&lock);
    bool wanted = is_polite || request.host_port % 3;
    if (wanted && socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    if (wanted && is_polite) polite = ends[1];
    if (wanted && !is_polite) hold(ends[1]);
    pthread_mutex_unlock(&lock);
    vsock_device_answer(device, request, wanted ? ends[0] : -1);
}

static void on_connected(void *context, void *token, int problem, int descriptor, uint32_t host_port) {
    pthread_mutex_lock(&lock);
    settled++;
    if (problem == 0) hold(descriptor);
    pthread_mutex_unlock(&lock);
}

static void on_end(void *context) {
    pthread_mutex_lock(&lock);
    ended_count++;
    pthread_cond_signal(&changed);
    pthread_mutex_unlock(&lock);
}

static void use_connections(void) {
    static char bytes[1 << 16];
    pthread_mutex_lock(&lock);
    for (int i = 0; i < 4 && held_count; i++) {
        int at = (int)below((uint64_t)held_count);
        switch (below(4)) {
        case 0: send(held[at], bytes, below(sizeof bytes), MSG_NOSIGNAL | MSG_DONTWAIT); break;
        case 1: recv(held[at], bytes, sizeof bytes, MSG_DONTWAIT); break;
        case 2: shutdown(held[at], (int)below(2)); break;
        default:
            close(held[at]);
            held[at] = held[--held_count];
        }
    }
    bool dial = once_in(4);
    if (dial) dialled++;
    pthread_mutex_unlock(&lock);
    if (dial && vsock_device_connect(device, (uint32_t)below(8), NULL) != 0) fail("connect");
}

/* ---- The front end */

static int line, memory_file, kicks[2], calls[2], error_event;
static char *memory;

struct ring {
    unsigned size;
    uint64_t table, available, used; /* offsets in the memory */
    uint16_t next, seen;
} rings[2];

static void send_message(uint32_t request, uint32_t flags, const void *payload, uint32_t size, const int *passed, int count) {
    char bytes[12 + 512];
    uint32_t header[3] = {request, flags, size};
    memcpy(bytes, header, 12);
    if (size) memcpy(bytes + 12, payload, size);
    struct iovec vector = {bytes, 12 + size};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int) * 16)];
    } control;
    memset(&control, 0, sizeof control);
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    if (count) {
        control.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)count), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(&control.header), passed, sizeof(int) * (size_t)count);
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)count);
    }
    sendmsg(line, &message, MSG_NOSIGNAL);
}

/* What a request with an answer is answered: its first eight bytes. */
static uint64_t ask(uint32_t request, uint32_t flags, const void *payload, uint32_t size, const int *passed, int count) {
    send_message(request, flags, payload, size, passed, count);
    char answer[12 + 512];
    struct pollfd ready = {line, POLLIN, 0};
    if (poll(&ready, 1, patience) != 1) fail("the back end hangs");
    ssize_t length = recv(line, answer, sizeof answer, 0);
    if (length < 12) fail("the back end has gone");
    uint64_t number = 0;
    if (length >= 20) memcpy(&number, answer + 12, 8);
    return number;
}

static void set_ring_state(uint32_t request, uint32_t index, uint32_t value) {
    uint32_t payload[2] = {index, value};
    send_message(request, 1, payload, 8, NULL, 0);
}

static void stop_rings(void) {
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t payload[2] = {i, 0};
        ask(11, 1, payload, 8, NULL, 0);
    }
}

/* Another driver, with what it likes of what is offered. */
static void start_rings(uint64_t features) {
    send_message(2, 1, &features, 8, NULL, 0);
    bool at_end = once_in(2);
    for (uint32_t i = 0; i < 2; i++) {
        struct ring *ring = &rings[i];
        uint64_t start = i * 64 * 1024;
        *ring = (struct ring){.size = 1u << (5 + below(6))};
        ring->available = start;
        ring->used = (start + 6 + 2 * ring->size + 3) / 4 * 4;
        ring->table = at_end ? (i ? memory_size : middle) - 16 * ring->size : start + 32 * 1024;
        memset(memory + start, 0, 64 * 1024);
        memset(memory + ring->table, 0, 16 * ring->size);
        set_ring_state(8, i, ring->size);
        set_ring_state(10, i, 0);
        struct {
            uint32_t index, flags;
            uint64_t table, used, available, log;
        } addresses = {i, 0, user_base + ring->table, user_base + ring->used, user_base + ring->available, 0};
        send_message(9, 1, &addresses, sizeof addresses, NULL, 0);
        uint64_t index = i;
        send_message(13, 1, &index, 8, &calls[i], 1);
        send_message(12, 1, &index, 8, &kicks[i], 1);
        send_message(14, 1, &index, 8, &error_event, 1);
        set_ring_state(18, i, 1);
    }
}

static void map_memory(bool waits) {
    struct {
        uint32_t count, padding;
        uint64_t guest, size, user, offset;
        uint64_t guest2, size2, user2, offset2;
    } table = {2, 0, guest_base, middle, user_base, 0, guest_base + middle, middle, user_base + middle, middle};
    int files[2] = {memory_file, memory_file};
    if (!waits) {
        send_message(5, 1, &table, sizeof table, files, 2);
    } else if (ask(5, 9, &table, sizeof table, files, 2) != 0) {
        fail("the memory is refused");
    }
}

static void connect_front_end(void) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair");
    line = ends[0];
    device = vsock_device_start(ends[1], (struct vsock_client){NULL, on_request, on_connected, on_end});
    if (!device) fail("start");
}

static void disconnect_front_end(int ends_so_far) {
    close(line);
    pthread_mutex_lock(&lock);
    while (held_count) close(held[--held_count]);
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += patience / 1000;
    while (ended_count == ends_so_far) {
        if (pthread_cond_timedwait(&changed, &lock, &limit) != 0) fail("the device does not end");
    }
    while (held_count) close(held[--held_count]);
    pthread_mutex_unlock(&lock);
    vsock_device_release(device);
}

/* ---- The guest */

struct descriptor {
    uint64_t address;
    uint32_t length;
    uint16_t flags, next;
};

static void kick(int index) {
    uint64_t one = 1;
    if (write(kicks[index], &one, 8) != 8) fail("kick");
}

static void offer(struct ring *ring, uint16_t head) {
    uint16_t *available = (uint16_t *)(memory + ring->available);
    available[2 + ring->next % ring->size] = head;
    __atomic_store_n(&available[1], ++ring->next, __ATOMIC_RELEASE);
}

static uint16_t returned(struct ring *ring) {
    return __atomic_load_n((uint16_t *)(memory + ring->used) + 1, __ATOMIC_ACQUIRE);
}

struct header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, space, forwarded;
} __attribute__((packed));

static uint64_t buffer_of(int index, unsigned slot) {
    return (index ? 5 : 2) * MiB + slot * buffer_size;
}

static void put(struct ring *ring, unsigned slot, struct descriptor descriptor) {
    memcpy(memory + ring->table + 16 * (slot % ring->size), &descriptor, sizeof descriptor);
}

static uint64_t odd_number(void) {
    switch (below(6)) {
    case 0: return any();
    case 1: return below(16);
    case 2: return guest_base + below(memory_size + 4096);
    case 3: return guest_base + memory_size - below(64);
    case 4: return guest_base + middle - below(64);
    default: return -below(4096);
    }
}

/* A packet that might be one. */
static void write_packet(char *to) {
    struct header header = {3, 2, (uint32_t)below(8), (uint32_t)below(8), (uint32_t)below(2048), 1, (uint16_t)below(9),
                            (uint32_t)below(4), 1 << 18, (uint32_t)below(1 << 20)};
    if (once_in(3)) header.operation = 5, header.length = (uint32_t)below(64);
    if (once_in(4)) header.target_port = (uint32_t)(first_port + dialled - 1 - (int)below(4)), header.operation = 2 + once_in(3) * 3;
    if (once_in(16)) header.source_cid = any();
    if (once_in(16)) header.target_cid = any();
    if (once_in(16)) header.type = (uint16_t)any();
    if (once_in(16)) header.length = (uint32_t)any();
    if (once_in(16)) header.flags = (uint32_t)any();
    if (once_in(16)) header.space = (uint32_t)any();
    if (once_in(16)) header.forwarded = (uint32_t)any();
    memcpy(to, &header, sizeof header);
}

/* A descriptor in its place, as a driver would write it, and now and then not. @param wildness One in so many. */
static void write_descriptor(int index, unsigned slot, unsigned wildness) {
    struct ring *ring = &rings[index];
    uint64_t buffer = buffer_of(index, slot);
    struct descriptor made = {guest_base + buffer, (uint32_t)below(2049), index == 0 ? 2 : 0, (uint16_t)below(ring->size)};
    if (made.length < header_size && !once_in(8)) made.length = header_size + (uint32_t)below(1000);
    if (once_in(4)) {
        made.flags |= 1;
        made.next = (uint16_t)(slot + 1);
    }
    if (index == 1) write_packet(memory + buffer);
    if (index == 1 && once_in(8)) { /* a table in place of a chain */
        unsigned entries = once_in(64) ? 1 + (unsigned)below(1100) : 1 + (unsigned)below(8);
        bool across = once_in(2); /* the border of two regions */
        uint64_t table = entries > 8 ? 14 * MiB : 13 * MiB + slot * 128;
        for (unsigned i = 0; i < entries; i++) {
            uint64_t place = guest_base + (i && across ? middle - 1 - below(4) : i ? buffer + below(1024) : buffer);
            struct descriptor inner = {place, i ? (uint32_t)below(100) : header_size, i + 1 < entries, (uint16_t)(i + 1)};
            if (once_in(4 * wildness)) inner.address = odd_number();
            if (once_in(4 * wildness)) inner.length = (uint32_t)odd_number();
            if (once_in(4 * wildness)) inner.flags = (uint16_t)any(), inner.next = (uint16_t)any();
            memcpy(memory + table + i * 16, &inner, sizeof inner);
        }
        made = (struct descriptor){guest_base + table, entries * 16, 4, 0};
        if (once_in(wildness)) made.address = guest_base + (once_in(2) ? middle : memory_size) - 16 * (1 + below(entries));
    }
    if (once_in(wildness)) made = (struct descriptor){made.address, 0, made.flags | 1, (uint16_t)slot}; /* for ever */
    if (once_in(wildness)) made.address = odd_number();
    if (once_in(wildness)) made.length = (uint32_t)odd_number();
    if (once_in(wildness)) made.flags = (uint16_t)any();
    if (once_in(wildness)) made.next = (uint16_t)any();
    put(ring, slot, made);
}

static long mutated, handled, lives;

/* Waits, mostly, until the device has taken what there is for it, or will take nothing more. True in that case. */
static bool is_broken(void) {
    uint64_t number;
    for (int i = 0; i < 100 && !once_in(50); i++) {
        if (read(error_event, &number, 8) == 8) return true;
        if (returned(&rings[1]) == rings[1].next) return false;
        usleep(10);
    }
    return read(error_event, &number, 8) == 8;
}

/* Some drivers' lives. */
static void be_hostile(unsigned wildness, uint64_t features) {
    for (int turn = 0; turn < 50; turn++) {
        for (int index = 0; index < 2; index++) {
            struct ring *ring = &rings[index];
            for (unsigned i = 0; i < ring->size; i++) write_descriptor(index, i, wildness);
            mutated += ring->size;
            unsigned room = ring->size - (uint16_t)(ring->next - returned(ring));
            if (room > ring->size) room = ring->size;
            for (unsigned i = 0; i < room; i++) offer(ring, (uint16_t)(once_in(8 * wildness) ? any() : below(ring->size)));
            if (once_in(4 * wildness)) ring->next += (uint16_t)any(), offer(ring, 0);
            if (once_in(4)) memcpy(memory + ring->used + 4 + 8 * ring->size, &(uint16_t){(uint16_t)any()}, 2);
            if (once_in(4)) memcpy(memory + ring->available + 4 + 2 * ring->size, &(uint16_t){(uint16_t)any()}, 2);
            if (once_in(8)) memcpy(memory + ring->available, &(uint16_t){(uint16_t)below(2)}, 2);
            kick(index);
        }
        use_connections();
        bool broken = is_broken();
        uint16_t now = returned(&rings[1]);
        handled += (uint16_t)(now - rings[1].seen);
        rings[1].seen = now;
        now = returned(&rings[0]);
        handled += (uint16_t)(now - rings[0].seen);
        rings[0].seen = now;
        if (broken) {
            stop_rings();
            start_rings(features);
            lives++;
        }
    }
}

static void send_packet(struct header header, const char *bytes) {
    struct ring *ring = &rings[1];
    unsigned slot = ring->next % ring->size;
    uint64_t buffer = buffer_of(1, slot);
    memcpy(memory + buffer, &header, sizeof header);
    if (bytes) memcpy(memory + buffer + header_size, bytes, header.length);
    put(ring, slot, (struct descriptor){guest_base + buffer, header_size + header.length, 0, 0});
    offer(ring, (uint16_t)slot);
    kick(1);
}

/* The next packet for the connection, if one is there; its room is given again. */
static bool receive_packet(struct header *header, char *bytes) {
    struct ring *ring = &rings[0];
    if (returned(ring) == ring->seen) return false;
    uint32_t element[2];
    memcpy(element, memory + ring->used + 4 + 8 * (ring->seen++ % ring->size), 8);
    const char *packet = memory + buffer_of(0, element[0]);
    memcpy(header, packet, sizeof *header);
    if (header->operation == 5) memcpy(bytes, packet + header_size, header->length);
    offer(ring, (uint16_t)element[0]);
    kick(0);
    return header->target_port == 99;
}

/* The next packet of this operation; others are passed over. */
static void await_packet(unsigned operation, const char *bytes) {
    struct ring *ring = &rings[0];
    struct header header = {0};
    char got[buffer_size];
    while (!receive_packet(&header, got) || header.operation != operation) {
        memcpy(memory + ring->available + 4 + 2 * ring->size, &ring->seen, 2); /* to be told of that one */
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        if (returned(ring) != ring->seen) continue;
        struct pollfd call = {calls[0], POLLIN, 0};
        uint64_t number;
        if (poll(&call, 1, patience) != 1) fail("a guest in its right mind gets no answer");
        if (read(calls[0], &number, 8) != 8) fail("call");
    }
    if (bytes && memcmp(got, bytes, header.length) != 0) fail("the answer is another one");
}

static struct header packet_of(uint16_t operation) {
    return (struct header){3, 2, 99, 7, 0, 1, operation, 0, 1 << 18, 0};
}

/* Makes a connection to the client. */
static void call_client(void) {
    send_packet(packet_of(1), NULL);
    await_packet(2, NULL);
}

static void await_at_client(short events) {
    struct pollfd ready = {polite, events, 0};
    if (poll(&ready, 1, patience) != 1) fail("nothing comes to the client");
}

static void exchange_bytes(void) {
    call_client();
    struct header header = packet_of(5);
    header.length = 5;
    send_packet(header, "hello");
    char bytes[5];
    await_at_client(POLLIN);
    if (recv(polite, bytes, 5, 0) != 5 || memcmp(bytes, "hello", 5) != 0) fail("no bytes come");
    if (send(polite, bytes, 5, MSG_NOSIGNAL) != 5) fail("no bytes go");
    await_packet(5, "hello");
    close(polite);
    await_packet(4, NULL);
    send_packet(packet_of(3), NULL);
}

/* More than there is room for, to a client that does not read. @param ends Whether the guest ends it before. */
static void flood(bool ends) {
    static char bytes[buffer_size];
    call_client();
    struct header header = packet_of(5);
    header.length = 1900;
    struct header answer = {0};
    long sent = 0, got = 0;
    while (sent < (ends ? 300000 : MiB) && answer.operation != 3) {
        send_packet(header, bytes);
        sent += header.length;
        while (rings[1].next != returned(&rings[1])) usleep(10);
        receive_packet(&answer, bytes);
    }
    if (ends) {
        header = packet_of(4);
        header.flags = 3;
        send_packet(header, NULL);
    }
    if (answer.operation != 3) await_packet(3, NULL);
    for (;;) {
        await_at_client(POLLIN);
        ssize_t length = recv(polite, bytes, sizeof bytes, 0);
        if (length <= 0) break;
        got += length;
    }
    if (ends ? got != sent : got > 600 * 1024) fail("what the client has got is not what it should");
    close(polite);
}

/* A packet that is longer than what it came in. */
static void lie(void) {
    call_client();
    struct ring *ring = &rings[1];
    unsigned slot = ring->next % ring->size;
    struct header header = packet_of(5);
    header.length = 6;
    memcpy(memory + buffer_of(1, slot), &header, sizeof header);
    put(ring, slot, (struct descriptor){guest_base + buffer_of(1, slot), header_size + 5, 0, 0});
    offer(ring, (uint16_t)slot);
    kick(1);
    await_packet(3, NULL);
    close(polite);
}

static void be_sane(void) {
    pthread_mutex_lock(&lock);
    is_polite = true;
    while (held_count) close(held[--held_count]);
    pthread_mutex_unlock(&lock);
    for (unsigned i = 0; i < rings[0].size; i++) {
        put(&rings[0], i, (struct descriptor){guest_base + buffer_of(0, i), buffer_size, 2, 0});
        offer(&rings[0], (uint16_t)i);
    }
    kick(0);
    switch (below(4)) {
    case 0: flood(false); break;
    case 1: flood(true); break;
    case 2: lie(); break;
    default: exchange_bytes();
    }
    pthread_mutex_lock(&lock);
    is_polite = false;
    pthread_mutex_unlock(&lock);
}

static void be_hostile_front_end(void) {
    int before = ended_count;
    connect_front_end();
    for (uint64_t i = below(30); i < 30; i++) {
        char payload[512];
        for (int j = 0; j < 512; j += 8) {
            uint64_t number = once_in(2) ? below(4) : any();
            memcpy(payload + j, &number, 8);
        }
        int files[16], count = once_in(3) ? (int)below(12) : 0;
        for (int j = 0; j < count; j++) files[j] = once_in(2) ? memory_file : kicks[j % 2];
        uint32_t request = (uint32_t)below(44), size = (uint32_t)below(300);
        if (once_in(2)) size = request == 5 ? 8 + 32 * (uint32_t)below(9) : request == 9 ? 40 : 8;
        if (once_in(2)) {
            send_message(request, once_in(4) ? (uint32_t)any() : 1 | (uint32_t)below(2) << 3, payload, size, files, count);
        } else if (once_in(2)) {
            map_memory(false);
            start_rings(any());
        } else { /* a part of one */
            uint32_t header[3] = {request, 1, (uint32_t)any()};
            if (send(line, header, below(13), MSG_NOSIGNAL) < 0) break;
        }
        struct pollfd gone = {line, POLLIN, 0};
        char answer[512];
        if (poll(&gone, 1, 0) == 1 && recv(line, answer, sizeof answer, MSG_DONTWAIT) == 0) break;
    }
    disconnect_front_end(before);
}

static int open_descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;
    while (readdir(folder)) count++;
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    state = strtoull(argv[1], NULL, 10) * 2654435761u + 1;
    long wanted = atol(argv[2]);
    signal(SIGPIPE, SIG_IGN);
    memory_file = memfd_create("guest", MFD_CLOEXEC);
    if (ftruncate(memory_file, memory_size) != 0) fail("memory");
    memory = __real_mmap(NULL, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED, memory_file, 0);
    for (int i = 0; i < 2; i++) {
        kicks[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        calls[i] = eventfd(0, EFD_CLOEXEC);
    }
    error_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int before = open_descriptors();

    connect_front_end();
    if (!(ask(1, 1, NULL, 0, NULL, 0) >> 32 & 1)) fail("features");
    uint32_t config[5] = {0, 8, 0};
    ask(24, 1, config, 20, NULL, 0);
    map_memory(true);
    static const unsigned wildness[] = {2, 20, 200, 2000, 1 << 24};
    for (int drivers = 0; mutated < wanted; drivers++, lives += 2) {
        uint64_t features = 1ull << 32 | 1 << 30 | below(4) << 28;
        start_rings(features);
        be_hostile(wildness[drivers % 5], features);
        stop_rings();
        if (drivers % 8 == 0) map_memory(true);
        start_rings(features);
        be_sane();
        stop_rings();
    }
    disconnect_front_end(0);
    if (settled != dialled) fail("a connection was never settled");
    int front_ends = 0;
    for (; front_ends < 300; front_ends++) be_hostile_front_end();
    /* The last thread closes some after it has said that it ends. */
    for (int i = 0; open_descriptors() != before; i++) {
        if (i == 2000) fail("descriptors are left open");
        usleep(1000);
    }
    printf("%ld descriptors, %ld chains handled, %ld drivers, %d front ends\n", mutated, handled, lives, front_ends);
    return 0;
}
