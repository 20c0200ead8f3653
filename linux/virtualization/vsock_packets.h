#ifndef VSOCK_PACKETS_H
#define VSOCK_PACKETS_H

/* What a socket device and its guest say to each other. All of it is for the device's thread. */
#include "vhost_user.h"
#include "vsock_connection.h"

enum { buckets = 1024, most_strangers = 256 };

struct stranger {
    uint32_t guest_port, host_port;
};

struct vsock {
    struct vsock_client client;
    struct vhost_user *back_end; /* NULL when QEMU has gone */
    int epoll;                   /* connections are its events' data */
    unsigned driver;
    bool driver_was_there;
    uint64_t last_number;
    uint32_t last_port;
    int count, unanswered;
    TAILQ_HEAD(, connection) all, dead, ready, leaving;
    LIST_HEAD(, connection) buckets[buckets];
    /* Resets that the guest is to get for what is none of the connections, or not any more. */
    struct stranger strangers[most_strangers];
    int stranger_count;
    struct chain chain;
};

extern const struct vhost_user_kind vsock_kind;

void vsock_open(struct vsock *vsock);
/* QEMU has handled messages: another driver may be at work. */
void vsock_note_driver(struct vsock *vsock);
/* Moves packets both ways. True when there is more to do at once. */
bool vsock_move(struct vsock *vsock);
/* Something has happened at a client's socket. */
void vsock_note_socket(struct vsock *vsock, struct connection *connection, uint32_t events);
void vsock_dial(struct vsock *vsock, uint32_t guest_port, void *token);
void vsock_answer(struct vsock *vsock, struct vsock_request request, int descriptor);
/* The guest knows nothing of any connection any more. */
void vsock_forget_all(struct vsock *vsock);
/* Resets what the guest has had long enough to let go. Milliseconds until the next of them is due, or -1. */
int vsock_expire(struct vsock *vsock);
/* After what may have ended connections that epoll's events still point to. */
void vsock_bury(struct vsock *vsock);
/* Ends those that are left. */
void vsock_close(struct vsock *vsock);

uint64_t vsock_now(void); /* milliseconds */

#endif
