#include "vsock_connection.h"
#include "virtqueue.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

uint32_t room_in_guest(const struct connection *connection) {
    uint32_t unread = connection->sent - connection->guest_forwarded;
    return unread < connection->guest_space ? connection->guest_space - unread : 0;
}

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

bool take_from_guest(struct connection *connection, struct iovec *pieces, int count, size_t length) {
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

bool flush_to_client(struct connection *connection) {
    size_t before = connection->length;
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
    return connection->length < before;
}

void close_connection(struct connection *connection) {
    if (connection->socket >= 0) close(connection->socket);
    connection->socket = -1;
    forget_bytes(connection);
}
