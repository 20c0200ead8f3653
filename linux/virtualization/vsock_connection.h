#ifndef VSOCK_CONNECTION_H
#define VSOCK_CONNECTION_H

/* The connections of a socket device, and the bytes that the guest has sent and the client has not taken. */
#include "vsock_device.h"
#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>
#include <sys/uio.h>

enum {
    vsock_space = 256 << 10, /* bytes of a connection that are held here at most: what the guest may send unread */
    shut_receive = 1,        /* who says so takes nothing more */
    shut_send = 2,
    shut_both = 3,
};

struct connection {
    TAILQ_ENTRY(connection) in_all, in_ready, in_leaving;
    LIST_ENTRY(connection) in_bucket;
    bool is_ready, is_leaving, is_listed;
    struct vsock_request names;
    enum {
        asked,   /* by the guest: the client has not answered */
        dialled, /* by the client: the guest has not answered */
        open,
        left, /* by the guest, which knows no more of it; the client has not taken all bytes */
        dead, /* to be freed */
    } state;
    void *token; /* of one that was dialled */
    int socket;
    bool readable, writable;       /* as far as is known */
    bool client_sent_all, client_left; /* nothing more comes from the client; it takes nothing more */
    uint32_t guest_shut, told_shut;
    bool owes_request, owes_response, owes_reset, owes_credit, asks_credit, has_asked;
    uint32_t guest_space, guest_forwarded, sent; /* how much the guest holds at most, has given on, was sent */
    uint32_t received, forwarded, told_forwarded;
    char *bytes;
    size_t start, length, capacity;
    uint64_t deadline; /* when a leaving one is reset, in milliseconds */
};

/* How many bytes the guest has room for. */
uint32_t room_in_guest(const struct connection *connection);
/* Gives bytes of the guest's to the client, or keeps them. False when there is no memory for them. */
bool take_from_guest(struct connection *connection, struct iovec *pieces, int count, size_t length);
/* Gives kept bytes to the client. True when some went. */
bool flush_to_client(struct connection *connection);
/* Closes the client's way and forgets what was kept. */
void close_connection(struct connection *connection);

#endif
