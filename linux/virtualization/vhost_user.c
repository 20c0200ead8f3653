#include "vhost_user.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* As in QEMU's "Vhost-user Protocol". */
enum request {
    get_features = 1,
    set_features = 2,
    set_owner = 3,
    reset_owner = 4,
    set_mem_table = 5,
    set_vring_num = 8,
    set_vring_addr = 9,
    set_vring_base = 10,
    get_vring_base = 11,
    set_vring_kick = 12,
    set_vring_call = 13,
    set_vring_err = 14,
    get_protocol_features = 15,
    set_protocol_features = 16,
    get_queue_num = 17,
    set_vring_enable = 18,
    get_config = 24,
    set_config = 25,
    reset_device = 34,
};

enum { version = 1, version_mask = 3, is_reply = 4, needs_reply = 8, header_size = 12, no_descriptor = 1 << 8 };
enum { most_passed = 8, config_limit = 256, largest_payload = 12 + config_limit, socket_tag = 255 };

static const uint64_t virtio_features = 1ull << 32 /* version 1 */ | 1ull << 28 /* indirect */ | 1ull << 29 /* event indexes */;
static const uint64_t has_protocol_features = 1ull << 30;
static const uint64_t protocol_features = 1 << 0 /* get_queue_num */ | 1 << 3 /* needs_reply */ | 1 << 9 /* get_config */;

struct message {
    uint32_t request, flags, size;
    union {
        uint64_t number;
        struct {
            uint32_t index, value;
        } state;
        struct {
            uint32_t index, flags;
            uint64_t descriptors, used, available, log;
        } address;
        struct {
            uint32_t count, padding;
            struct {
                uint64_t guest, size, user, offset;
            } regions[most_regions];
        } memory;
        struct {
            uint32_t offset, size, flags;
            uint8_t bytes[config_limit];
        } config;
        uint8_t bytes[largest_payload];
    };
} __attribute__((packed));

struct ring {
    struct virtqueue queue;
    uint64_t descriptors, available, used; /* addresses of the front end's */
    int kick, call, error;
    bool started, enabled, was_stopped;
    uint16_t stopped_at;
};

struct vhost_user {
    struct vhost_user_kind kind;
    int socket, epoll;
    uint64_t features;
    struct guest_memory memory;
    struct ring rings[most_queues];
    unsigned driver;
    /* The message that is coming in. */
    struct message message;
    size_t received;
    int passed[most_passed], passed_count;
};

static void close_one(int *descriptor) {
    if (*descriptor >= 0) close(*descriptor);
    *descriptor = -1;
}

/* QEMU has the same eventfd, so to close it here would not end its being watched. */
static void close_kick(struct vhost_user *back_end, struct ring *ring) {
    if (ring->kick >= 0) epoll_ctl(back_end->epoll, EPOLL_CTL_DEL, ring->kick, NULL);
    close_one(&ring->kick);
}

static void close_passed(struct vhost_user *back_end) {
    for (int i = 0; i < back_end->passed_count; i++) close_one(&back_end->passed[i]);
    back_end->passed_count = 0;
}

static int take_passed(struct vhost_user *back_end) {
    int first = back_end->passed_count > 0 ? back_end->passed[0] : -1;
    if (first >= 0) back_end->passed[0] = -1;
    return first;
}

static bool watch(struct vhost_user *back_end, int descriptor, uint32_t tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = tag};
    return epoll_ctl(back_end->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

struct vhost_user *vhost_user_new(int socket, const struct vhost_user_kind *kind) {
    struct vhost_user *back_end = calloc(1, sizeof *back_end);
    if (!back_end) {
        close(socket);
        return NULL;
    }
    back_end->kind = *kind;
    back_end->socket = socket;
    for (int i = 0; i < most_queues; i++) back_end->rings[i].kick = back_end->rings[i].call = back_end->rings[i].error = -1;
    back_end->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (back_end->epoll >= 0 && watch(back_end, socket, socket_tag)) return back_end;
    int problem = errno;
    vhost_user_free(back_end);
    errno = problem;
    return NULL;
}

void vhost_user_free(struct vhost_user *back_end) {
    close_passed(back_end);
    for (int i = 0; i < most_queues; i++) {
        close_one(&back_end->rings[i].kick);
        close_one(&back_end->rings[i].call);
        close_one(&back_end->rings[i].error);
    }
    unmap_regions(&back_end->memory);
    close_one(&back_end->epoll);
    close_one(&back_end->socket);
    free(back_end);
}

int vhost_user_descriptor(const struct vhost_user *back_end) {
    return back_end->epoll;
}

/* Where the ring's parts are now; they may be nowhere. */
static void find_ring(struct vhost_user *back_end, struct ring *ring) {
    struct virtqueue *queue = &ring->queue;
    uint64_t size = queue->size;
    queue->descriptors = user_bytes(&back_end->memory, ring->descriptors, 16 * size);
    queue->available = user_bytes(&back_end->memory, ring->available, 6 + 2 * size);
    queue->used = user_bytes(&back_end->memory, ring->used, 6 + 8 * size);
    if ((uintptr_t)queue->available % 2 || (uintptr_t)queue->used % 4) queue->available = NULL;
}

static bool runs(const struct ring *ring) {
    const struct virtqueue *queue = &ring->queue;
    return ring->started && ring->enabled && queue->size && queue->descriptors && queue->available && queue->used;
}

struct virtqueue *vhost_user_queue(struct vhost_user *back_end, int index) {
    return runs(&back_end->rings[index]) ? &back_end->rings[index].queue : NULL;
}

const struct guest_memory *vhost_user_memory(const struct vhost_user *back_end) {
    return &back_end->memory;
}

unsigned vhost_user_driver(const struct vhost_user *back_end) {
    return back_end->driver;
}

static void signal_descriptor(int descriptor) {
    uint64_t one = 1;
    /* An eventfd that is full has been heard of already. */
    if (descriptor >= 0 && write(descriptor, &one, sizeof one) < 0) return;
}

void vhost_user_signal(struct vhost_user *back_end, int index) {
    struct ring *ring = &back_end->rings[index];
    if (!runs(ring)) return;
    if (wants_interrupt(&ring->queue)) signal_descriptor(ring->call);
    if (ring->queue.broken) signal_descriptor(ring->error);
}

static bool map_memory(struct vhost_user *back_end, const struct message *message) {
    uint32_t count = message->memory.count;
    unmap_regions(&back_end->memory);
    bool mapped = count <= most_regions && (int)count == back_end->passed_count && message->size >= 8 + 32 * count;
    for (uint32_t i = 0; mapped && i < count; i++) {
        mapped = map_region(&back_end->memory, back_end->passed[i], message->memory.regions[i].guest,
                            message->memory.regions[i].user, message->memory.regions[i].size,
                            message->memory.regions[i].offset) == 0;
    }
    if (!mapped) unmap_regions(&back_end->memory);
    for (int i = 0; i < back_end->kind.queues; i++) find_ring(back_end, &back_end->rings[i]);
    return mapped;
}

/* The guest hears at once, in case that it was told just before and QEMU did not listen then. */
static void start(struct vhost_user *back_end, struct ring *ring) {
    struct virtqueue *queue = &ring->queue;
    ring->started = true;
    find_ring(back_end, ring);
    queue->event_indexes = back_end->features >> 29 & 1;
    queue->indirect = back_end->features >> 28 & 1;
    queue->broken = queue->signalled_before = false;
    if (queue->used) queue->next_used = __atomic_load_n(&queue->used[1], __ATOMIC_ACQUIRE);
    if (!(back_end->features & has_protocol_features)) ring->enabled = true;
    signal_descriptor(ring->call);
}

static void stop(struct vhost_user *back_end, struct ring *ring) {
    ring->started = false;
    ring->was_stopped = true;
    ring->stopped_at = ring->queue.next_available;
    close_kick(back_end, ring);
}

static bool reply(struct vhost_user *back_end, struct message *message, uint32_t size) {
    message->flags = version | is_reply;
    message->size = size;
    size_t length = header_size + size;
    return send(back_end->socket, message, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

static bool reply_number(struct vhost_user *back_end, struct message *message, uint64_t number) {
    message->number = number;
    return reply(back_end, message, sizeof number);
}

static bool reply_config(struct vhost_user *back_end, struct message *message) {
    uint32_t offset = message->config.offset, size = message->config.size, all = back_end->kind.configuration_size;
    bool known = message->size >= 12 && size <= config_limit && offset <= all && size <= all - offset;
    if (!known) return reply(back_end, message, 0); /* which says so */
    memcpy(message->config.bytes, (const char *)back_end->kind.configuration + offset, size);
    return reply(back_end, message, 12 + size);
}

/* The ring that a message is about; NULL when there is none. */
static struct ring *ring_of(struct vhost_user *back_end, uint32_t index) {
    return index < (uint32_t)back_end->kind.queues ? &back_end->rings[index] : NULL;
}

static bool set_size(struct ring *ring, uint32_t size) {
    if (ring->started || size == 0 || size > largest_queue || (size & (size - 1))) return false;
    ring->queue.size = (uint16_t)size;
    return true;
}

/* A driver goes on where its queue stopped, as after a pause; one that starts has another base, but for once in 65536. */
static bool set_base(struct vhost_user *back_end, struct ring *ring, uint32_t base) {
    if (ring->started || base > UINT16_MAX) return false;
    if (ring->was_stopped && ring->stopped_at != base) back_end->driver++;
    ring->was_stopped = false;
    ring->queue.next_available = (uint16_t)base;
    return true;
}

/* A guest may have given some where it has no memory: its queue does not run then. */
static void set_addresses(struct vhost_user *back_end, struct ring *ring, const struct message *message) {
    ring->descriptors = message->address.descriptors;
    ring->available = message->address.available;
    ring->used = message->address.used;
    find_ring(back_end, ring);
}

static bool set_descriptor(struct vhost_user *back_end, struct ring *ring, uint32_t index, uint32_t request, int descriptor) {
    int *place = request == set_vring_kick ? &ring->kick : request == set_vring_call ? &ring->call : &ring->error;
    if (request == set_vring_kick) close_kick(back_end, ring);
    close_one(place);
    *place = descriptor;
    if (descriptor >= 0) fcntl(descriptor, F_SETFL, O_NONBLOCK);
    if (request == set_vring_call && ring->started) signal_descriptor(descriptor);
    if (request != set_vring_kick) return true;
    start(back_end, ring);
    return descriptor < 0 || watch(back_end, descriptor, index);
}

/* Those about one ring. */
static bool handle_ring_message(struct vhost_user *back_end, struct message *message, bool *replied) {
    bool names_descriptor = message->request >= set_vring_kick && message->request <= set_vring_err;
    uint32_t index = names_descriptor ? (uint32_t)message->number & 255 : message->state.index;
    struct ring *ring = ring_of(back_end, index);
    if (!ring || message->size < 8) return false;
    switch (message->request) {
    case set_vring_num: return set_size(ring, message->state.value);
    case set_vring_base: return set_base(back_end, ring, message->state.value);
    case set_vring_addr: set_addresses(back_end, ring, message); return true;
    case set_vring_enable: ring->enabled = message->state.value != 0; return true;
    case get_vring_base:
        stop(back_end, ring);
        message->state.value = ring->stopped_at;
        *replied = true;
        return reply(back_end, message, 8);
    default:
        return set_descriptor(back_end, ring, index, message->request,
                              message->number & no_descriptor ? -1 : take_passed(back_end));
    }
}

static bool handle_message(struct vhost_user *back_end) {
    struct message *message = &back_end->message;
    bool replied = false, wants_reply = message->flags & needs_reply, well = true;
    switch (message->request) {
    case get_features:
        return reply_number(back_end, message, virtio_features | has_protocol_features | back_end->kind.features);
    case get_protocol_features: return reply_number(back_end, message, protocol_features);
    case get_queue_num: return reply_number(back_end, message, (uint64_t)back_end->kind.queues);
    case get_config: return reply_config(back_end, message);
    case set_features: back_end->features = message->number; break;
    case set_mem_table: well = map_memory(back_end, message); break;
    case set_owner:
    case set_protocol_features:
    case set_config: break;
    case reset_owner:
    case reset_device:
        for (int i = 0; i < back_end->kind.queues; i++) {
            back_end->rings[i].enabled = false;
            stop(back_end, &back_end->rings[i]);
        }
        back_end->driver++;
        break;
    case set_vring_num:
    case set_vring_addr:
    case set_vring_base:
    case get_vring_base:
    case set_vring_kick:
    case set_vring_call:
    case set_vring_err:
    case set_vring_enable: well = handle_ring_message(back_end, message, &replied); break;
    default: well = false;
    }
    if (replied) return well;
    /* What is refused without a word about it would make the front end wait for ever. */
    return wants_reply ? reply_number(back_end, message, well ? 0 : 1) : well;
}

/* Takes a part of the message that is coming in. 1, or 0 when there is none now, or -1 at the end. */
static int receive(struct vhost_user *back_end) {
    struct message *message = &back_end->message;
    size_t whole = header_size + (back_end->received < header_size ? 0 : message->size);
    struct iovec bytes = {(char *)message + back_end->received, whole - back_end->received};
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof back_end->passed)];
    } control;
    struct msghdr envelope = {.msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length = recvmsg(back_end->socket, &envelope, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (length < 0) return errno == EAGAIN || errno == EINTR ? 0 : -1;
    for (struct cmsghdr *part = CMSG_FIRSTHDR(&envelope); part; part = CMSG_NXTHDR(&envelope, part)) {
        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
        int count = (int)((part->cmsg_len - CMSG_LEN(0)) / sizeof(int)), descriptors[most_passed];
        memcpy(descriptors, CMSG_DATA(part), sizeof(int) * (size_t)count);
        for (int i = 0; i < count; i++) {
            if (back_end->passed_count < most_passed) {
                back_end->passed[back_end->passed_count++] = descriptors[i];
            } else {
                close(descriptors[i]);
            }
        }
    }
    if (length == 0) return -1;
    back_end->received += (size_t)length;
    return 1;
}

static bool handle_messages(struct vhost_user *back_end) {
    struct message *message = &back_end->message;
    for (;;) {
        int part = receive(back_end);
        if (part <= 0) return part == 0;
        if (back_end->received < header_size) continue;
        if ((message->flags & version_mask) != version || message->size > largest_payload) return false;
        if (back_end->received < header_size + message->size) continue;
        memset(message->bytes + message->size, 0, largest_payload - message->size);
        bool well = handle_message(back_end);
        close_passed(back_end);
        back_end->received = 0;
        if (!well) return false;
    }
}

bool vhost_user_handle(struct vhost_user *back_end) {
    struct epoll_event events[1 + most_queues];
    int count = epoll_wait(back_end->epoll, events, 1 + most_queues, 0);
    bool has_message = false;
    for (int i = 0; i < count; i++) {
        uint64_t kicks;
        uint32_t tag = events[i].data.u32;
        if (tag == socket_tag) {
            has_message = true;
        } else if (read(back_end->rings[tag].kick, &kicks, sizeof kicks) <= 0 && errno != EAGAIN && errno != EINTR) {
            close_kick(back_end, &back_end->rings[tag]); /* it would be readable for ever */
        }
    }
    return !has_message || handle_messages(back_end);
}
