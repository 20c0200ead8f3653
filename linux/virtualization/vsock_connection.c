#include "vsock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { most_connections = 4096, first_port = 49152, credit_step = vsock_space / 4 };

uint64_t vsock_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The bytes of one */

static void forget_bytes(struct connection *connection) {
    free(connection->bytes);
    connection->bytes = NULL;
    connection->start = connection->length = connection->capacity = 0;
}

/* How many of the bytes the client's socket takes now. */
static size_t send_some(struct connection *connection, struct iovec *pieces, int count) {
    enum { most_pieces = 1024 }; /* that the system takes at once */
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)(count < most_pieces ? count : most_pieces)};
    ssize_t sent;
    do {
        sent = sendmsg(connection->socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent >= 0) return (size_t)sent;
    connection->writable = false;
    if (errno != EAGAIN) connection->client_left = true;
    return 0;
}

static bool make_room(struct connection *connection, size_t length) {
    if (connection->start + connection->length + length <= connection->capacity) return true;
    if (connection->length > 0) memmove(connection->bytes, connection->bytes + connection->start, connection->length);
    connection->start = 0;
    size_t wanted = connection->length + length, capacity = connection->capacity ? connection->capacity : 4096;
    while (capacity < wanted) capacity *= 2;
    if (capacity == connection->capacity) return true;
    char *bytes = realloc(connection->bytes, capacity);
    if (!bytes) return false;
    connection->bytes = bytes;
    connection->capacity = capacity;
    return true;
}

static bool keep_or_send(struct connection *connection, struct iovec *pieces, int count, size_t length) {
    size_t sent = 0;
    if (connection->length == 0 && connection->writable && !connection->client_left) {
        sent = send_some(connection, pieces, count);
        connection->forwarded += (uint32_t)sent;
    }
    if (connection->client_left) {
        connection->forwarded += (uint32_t)(length - sent);
        forget_bytes(connection);
        return true;
    }
    if (sent == length) return true;
    if (!make_room(connection, length - sent)) return false;
    count = cut_pieces(pieces, count, sent, length - sent);
    char *end = connection->bytes + connection->start + connection->length;
    connection->length += copy_from_pieces(pieces, count, end, length - sent);
    return true;
}

/* Gives kept bytes to the client. */
static void flush_to_client(struct connection *connection) {
    while (connection->length > 0 && connection->writable && !connection->client_left) {
        struct iovec piece = {connection->bytes + connection->start, connection->length};
        size_t sent = send_some(connection, &piece, 1);
        connection->start += sent;
        connection->length -= sent;
        connection->forwarded += (uint32_t)sent;
    }
    if (connection->client_left) {
        connection->forwarded += (uint32_t)connection->length;
        connection->length = 0;
    }
    if (connection->length == 0) forget_bytes(connection);
}

/* Closes the client's way and forgets what was kept. */
static void close_connection(struct connection *connection) {
    if (connection->socket >= 0) close(connection->socket);
    connection->socket = -1;
    forget_bytes(connection);
}

/* ---- Which there are */

static unsigned bucket_of(uint32_t guest_port, uint32_t host_port) {
    return (guest_port * 2654435761u ^ host_port * 2246822519u) >> 7 & (buckets - 1);
}

struct connection *find_connection(struct vsock *vsock, uint32_t guest_port, uint32_t host_port) {
    struct connection *connection;
    LIST_FOREACH(connection, &vsock->buckets[bucket_of(guest_port, host_port)], in_bucket) {
        if (connection->names.guest_port == guest_port && connection->names.host_port == host_port) return connection;
    }
    return NULL;
}

struct connection *add_connection(struct vsock *vsock, int state, uint32_t guest_port, uint32_t host_port) {
    if (vsock->count == most_connections) return NULL;
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) return NULL;
    connection->state = state;
    connection->names = (struct vsock_request){++vsock->last_number, guest_port, host_port};
    connection->socket = -1;
    TAILQ_INSERT_TAIL(&vsock->all, connection, in_all);
    LIST_INSERT_HEAD(&vsock->buckets[bucket_of(guest_port, host_port)], connection, in_bucket);
    connection->is_listed = true;
    vsock->count++;
    return connection;
}

static void unlist(struct vsock *vsock, struct connection *connection) {
    if (connection->is_ready) TAILQ_REMOVE(&vsock->ready, connection, in_ready);
    if (connection->is_leaving) TAILQ_REMOVE(&vsock->leaving, connection, in_leaving);
    if (connection->is_listed) LIST_REMOVE(connection, in_bucket);
    connection->is_ready = connection->is_leaving = connection->is_listed = false;
}

static void kill_connection(struct vsock *vsock, struct connection *connection) {
    unlist(vsock, connection);
    close_connection(connection);
    connection->state = dead;
    TAILQ_REMOVE(&vsock->all, connection, in_all);
    TAILQ_INSERT_TAIL(&vsock->dead, connection, in_all);
    vsock->count--;
}

void let_go(struct vsock *vsock, struct connection *connection) {
    if (connection->state == dialled) vsock->client.connected(vsock->client.context, connection->token, ECONNRESET, -1, 0);
    if (connection->length == 0) {
        kill_connection(vsock, connection);
    } else {
        unlist(vsock, connection);
        connection->state = left;
    }
}

void make_ready(struct vsock *vsock, struct connection *connection) {
    if (connection->is_ready || !connection->is_listed) return;
    connection->is_ready = true;
    TAILQ_INSERT_TAIL(&vsock->ready, connection, in_ready);
}

bool join_connection(struct vsock *vsock, struct connection *connection, int socket) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    connection->socket = socket;
    connection->state = open;
    connection->readable = connection->writable = true;
    return epoll_ctl(vsock->epoll, EPOLL_CTL_ADD, socket, &event) == 0;
}

/* After bytes have gone to the client. */
static void note_flushed(struct vsock *vsock, struct connection *connection) {
    if (connection->forwarded - connection->told_forwarded >= credit_step) connection->owes_credit = true;
    if (connection->guest_shut & shut_send && connection->length == 0) shutdown(connection->socket, SHUT_WR);
    if (connection->owes_credit || connection->client_left) make_ready(vsock, connection);
}

bool take_from_guest(struct vsock *vsock, struct connection *connection, struct iovec *pieces, int count, size_t length) {
    connection->received += (uint32_t)length;
    bool well = keep_or_send(connection, pieces, count, length);
    note_flushed(vsock, connection);
    return well;
}

void note_guest_shut(struct vsock *vsock, struct connection *connection) {
    if (connection->guest_shut & shut_receive) {
        connection->client_sent_all = true; /* what more there is has nowhere to go */
        shutdown(connection->socket, SHUT_RD);
        make_ready(vsock, connection);
    }
    note_flushed(vsock, connection);
}

void vsock_note_socket(struct vsock *vsock, struct connection *connection, uint32_t events) {
    if (connection->state != open && connection->state != left) return;
    if (events & EPOLLOUT) connection->writable = true;
    if (events & (EPOLLHUP | EPOLLERR)) connection->client_left = true;
    flush_to_client(connection);
    if (connection->state == left) {
        if (connection->length == 0) kill_connection(vsock, connection);
        return;
    }
    note_flushed(vsock, connection);
    if (events & ~(uint32_t)EPOLLOUT) {
        connection->readable = true;
        make_ready(vsock, connection);
    }
}

/* ---- What the client does, and the ends */

void vsock_open(struct vsock *vsock) {
    vsock->last_port = first_port - 1;
    TAILQ_INIT(&vsock->all);
    TAILQ_INIT(&vsock->dead);
    TAILQ_INIT(&vsock->ready);
    TAILQ_INIT(&vsock->leaving);
    for (int i = 0; i < buckets; i++) LIST_INIT(&vsock->buckets[i]);
}

void vsock_dial(struct vsock *vsock, uint32_t guest_port, void *token) {
    struct connection *connection = NULL;
    if (vsock->back_end && vsock->driver_was_there) {
        do {
            vsock->last_port = vsock->last_port < UINT32_MAX - 1 ? vsock->last_port + 1 : first_port;
        } while (find_connection(vsock, guest_port, vsock->last_port));
        connection = add_connection(vsock, dialled, guest_port, vsock->last_port);
    }
    if (!connection) {
        vsock->client.connected(vsock->client.context, token, ECONNRESET, -1, 0);
        return;
    }
    connection->token = token;
    connection->owes_request = true;
    make_ready(vsock, connection);
}

void vsock_answer(struct vsock *vsock, struct vsock_request request, int descriptor) {
    vsock->unanswered--;
    struct connection *connection = find_connection(vsock, request.guest_port, request.host_port);
    if (!connection || connection->names.number != request.number) {
        if (descriptor >= 0) close(descriptor); /* the guest has given it up */
        return;
    }
    connection->owes_reset = descriptor < 0 || !join_connection(vsock, connection, descriptor);
    connection->owes_response = !connection->owes_reset;
    make_ready(vsock, connection);
}

void vsock_forget_all(struct vsock *vsock) {
    struct connection *connection, *next;
    for (connection = TAILQ_FIRST(&vsock->all); connection; connection = next) {
        next = TAILQ_NEXT(connection, in_all);
        if (connection->state != left) let_go(vsock, connection);
    }
    vsock->stranger_count = 0;
    vsock->driver_was_there = false;
}

void vsock_note_driver(struct vsock *vsock) {
    unsigned driver = vhost_user_driver(vsock->back_end);
    if (driver != vsock->driver) vsock_forget_all(vsock);
    vsock->driver = driver;
    const struct virtqueue *queue = vhost_user_queue(vsock->back_end, to_guest);
    if (queue && !queue->broken) vsock->driver_was_there = true;
}

int vsock_expire(struct vsock *vsock) {
    struct connection *connection;
    uint64_t now = vsock_now();
    while ((connection = TAILQ_FIRST(&vsock->leaving))) {
        if (connection->deadline > now) return (int)(connection->deadline - now);
        TAILQ_REMOVE(&vsock->leaving, connection, in_leaving);
        connection->is_leaving = false;
        connection->owes_reset = true;
        make_ready(vsock, connection);
    }
    return -1;
}

void vsock_bury(struct vsock *vsock) {
    struct connection *connection;
    while ((connection = TAILQ_FIRST(&vsock->dead))) {
        TAILQ_REMOVE(&vsock->dead, connection, in_all);
        free(connection);
    }
}

void vsock_close(struct vsock *vsock) {
    struct connection *connection;
    vsock_forget_all(vsock);
    while ((connection = TAILQ_FIRST(&vsock->all))) kill_connection(vsock, connection);
    vsock_bury(vsock);
}
