#ifndef VSOCK_H
#define VSOCK_H

/* What the parts of a socket device share. All of it is for the device's thread. */
#include "vhost_user.h"
#include "vsock_device.h"
#include <sys/queue.h>

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

/* ---- vsock_connection.c */

uint64_t vsock_now(void); /* milliseconds */
void vsock_open(struct vsock *vsock);
/* Ends those that are left. */
void vsock_close(struct vsock *vsock);

struct connection *find_connection(struct vsock *vsock, uint32_t guest_port, uint32_t host_port);
/* NULL when there are too many. */
struct connection *add_connection(struct vsock *vsock, int state, uint32_t guest_port, uint32_t host_port);
/* It may have something for the guest. */
void make_ready(struct vsock *vsock, struct connection *connection);
/* It is open, and the socket leads to the client. False when that cannot be watched. */
bool join_connection(struct vsock *vsock, struct connection *connection, int socket);
/* The guest knows no more of it; the client still gets what there is. */
void let_go(struct vsock *vsock, struct connection *connection);
/* Gives bytes of the guest's to the client, or keeps them. False when there is no memory for them. */
bool take_from_guest(struct vsock *vsock, struct connection *connection, struct iovec *pieces, int count, size_t length);
/* The guest has said that it sends no more, or takes no more. */
void note_guest_shut(struct vsock *vsock, struct connection *connection);

/* Something has happened at a client's socket. */
void vsock_note_socket(struct vsock *vsock, struct connection *connection, uint32_t events);
/* QEMU has handled messages: another driver may be at work. */
void vsock_note_driver(struct vsock *vsock);
void vsock_dial(struct vsock *vsock, uint32_t guest_port, void *token);
void vsock_answer(struct vsock *vsock, struct vsock_request request, int descriptor);
/* The guest knows nothing of any connection any more. */
void vsock_forget_all(struct vsock *vsock);
/* Resets what the guest has had long enough to let go. Milliseconds until the next of them is due, or -1. */
int vsock_expire(struct vsock *vsock);
/* Frees what has ended, when no event of epoll's points to it any more. */
void vsock_bury(struct vsock *vsock);

/* ---- vsock_packets.c */

enum { to_guest, from_guest, vsock_queues = 3 }; /* the third, of events, is QEMU's own */
extern const struct vhost_user_kind vsock_kind;

/* Moves packets both ways. True when there is more to do at once. */
bool vsock_move(struct vsock *vsock);

#endif
