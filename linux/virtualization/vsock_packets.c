#include "vsock.h"
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { op_request = 1, op_response, op_reset, op_shutdown, op_data, op_credit_update, op_credit_request };
enum { stream = 1 };
enum {
    header_size = 44,
    largest_read = 64 << 10,
    most_unanswered = 4096,
    turn = 64,               /* packets one way before something else has its turn */
    patience_with_guest = 8000, /* milliseconds, after a shutdown both ways */
};

struct header {
    uint64_t source_cid, target_cid;
    uint32_t source_port, target_port, length;
    uint16_t type, operation;
    uint32_t flags, space, forwarded;
} __attribute__((packed));

static const uint64_t configuration = vsock_guest;
const struct vhost_user_kind vsock_kind = {0, vsock_queues, &configuration, sizeof configuration};

/* ---- From the guest */

/* How many bytes the guest has room for. */
static uint32_t room_in_guest(const struct connection *connection) {
    uint32_t unread = connection->sent - connection->guest_forwarded;
    return unread < connection->guest_space ? connection->guest_space - unread : 0;
}

static void reset_stranger(struct vsock *vsock, const struct header *header) {
    vsock->strangers[vsock->stranger_count++] = (struct stranger){header->source_port, header->target_port};
}

static void reset(struct vsock *vsock, struct connection *connection, const struct header *header) {
    reset_stranger(vsock, header);
    let_go(vsock, connection);
}

static void take_request(struct vsock *vsock, const struct header *header) {
    bool crowded = vsock->unanswered == most_unanswered;
    struct connection *connection = crowded ? NULL : add_connection(vsock, asked, header->source_port, header->target_port);
    if (!connection) {
        reset_stranger(vsock, header);
        return;
    }
    connection->guest_space = header->space;
    connection->guest_forwarded = header->forwarded;
    vsock->unanswered++;
    vsock->client.requested(vsock->client.context, connection->names);
}

static void take_response(struct vsock *vsock, struct connection *connection, const struct header *header) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        int problem = errno;
        connection->state = asked; /* it is told here */
        vsock->client.connected(vsock->client.context, connection->token, problem, -1, 0);
        reset(vsock, connection, header);
        return;
    }
    uint32_t port = connection->names.host_port;
    bool joined = join_connection(vsock, connection, ends[0]);
    int problem = joined ? 0 : errno;
    if (!joined) close(ends[1]);
    vsock->client.connected(vsock->client.context, connection->token, problem, joined ? ends[1] : -1, port);
    if (!joined) reset(vsock, connection, header);
}

/* @param chain What the packet came in. */
static void take_data(struct vsock *vsock, struct connection *connection, const struct header *header, struct chain *chain) {
    uint32_t length = header->length, held = connection->received - connection->forwarded;
    bool fits = length <= chain->readable - header_size && held <= vsock_space && length <= vsock_space - held;
    if (!fits || connection->guest_shut & shut_send) {
        reset(vsock, connection, header);
        return;
    }
    int count = cut_pieces(chain->pieces, chain->readable_count, header_size, length);
    if (!take_from_guest(vsock, connection, chain->pieces, count, length)) reset(vsock, connection, header);
}

static void take_shutdown(struct vsock *vsock, struct connection *connection, const struct header *header) {
    connection->guest_shut |= header->flags & shut_both;
    if (connection->guest_shut == shut_both) {
        reset(vsock, connection, header);
    } else {
        note_guest_shut(vsock, connection);
    }
}

static void take_packet(struct vsock *vsock, struct chain *chain) {
    struct header header;
    /* What is not from this guest to this host, or not a packet, is nobody's. */
    if (copy_from_pieces(chain->pieces, chain->readable_count, &header, header_size) < header_size) return;
    if (header.source_cid != vsock_guest || header.target_cid != vsock_host) return;
    struct connection *connection = header.type == stream ? find_connection(vsock, header.source_port, header.target_port) : NULL;
    if (!connection) {
        if (header.type == stream && header.operation == op_request) {
            take_request(vsock, &header);
        } else if (header.operation != op_reset) {
            reset_stranger(vsock, &header);
        }
        return;
    }
    connection->guest_space = header.space;
    connection->guest_forwarded = header.forwarded;
    if (header.operation == op_reset) {
        let_go(vsock, connection);
    } else if (header.operation == op_response && connection->state == dialled && !connection->owes_request) {
        take_response(vsock, connection, &header);
    } else if (connection->state != open || connection->owes_response) {
        reset(vsock, connection, &header);
    } else {
        if (room_in_guest(connection) > 0) {
            connection->has_asked = false;
            make_ready(vsock, connection);
        }
        switch (header.operation) {
        case op_data: take_data(vsock, connection, &header, chain); break;
        case op_shutdown: take_shutdown(vsock, connection, &header); break;
        case op_credit_update: break;
        case op_credit_request:
            connection->owes_credit = true;
            make_ready(vsock, connection);
            break;
        default: reset(vsock, connection, &header);
        }
    }
}

/* True when there may be more. */
static bool take_packets(struct vsock *vsock) {
    struct virtqueue *queue = vhost_user_queue(vsock->back_end, from_guest);
    if (!queue) return false;
    bool more = true;
    ignore_chains(queue);
    for (int i = 0; more && i < turn; i++) {
        /* A packet makes at most one reset; when there is no room for that the guest has to take some first. */
        if (vsock->stranger_count == most_strangers) {
            more = false;
        } else if (next_chain(queue, vhost_user_memory(vsock->back_end), &vsock->chain)) {
            take_packet(vsock, &vsock->chain);
            return_chain(queue, &vsock->chain, 0);
        } else {
            more = await_chains(queue);
        }
    }
    vhost_user_signal(vsock->back_end, from_guest);
    return more;
}

/* ---- To the guest */

static void write_header(struct chain *chain, struct header *header) {
    header->source_cid = vsock_host;
    header->target_cid = vsock_guest;
    header->type = stream;
    copy_to_pieces(chain->writable_pieces, chain->writable_count, header, header_size);
}

static uint32_t give(struct connection *connection, struct chain *chain, int operation, uint32_t length, uint32_t flags) {
    struct header header = {
        .source_port = connection->names.host_port,
        .target_port = connection->names.guest_port,
        .length = length,
        .operation = (uint16_t)operation,
        .flags = flags,
        .space = vsock_space,
        .forwarded = connection->forwarded,
    };
    write_header(chain, &header);
    connection->told_forwarded = connection->forwarded;
    connection->owes_credit = false;
    return header_size + length;
}

/* Bytes of the client's, as many as there are, the guest has room for, and the chain. 0 when it is none. */
static uint32_t give_data(struct connection *connection, struct chain *chain) {
    if (!connection->readable || connection->client_sent_all) return 0;
    uint32_t room = room_in_guest(connection);
    if (room == 0) {
        connection->asks_credit = !connection->has_asked;
        return 0;
    }
    struct iovec pieces[64];
    int count = chain->writable_count < 64 ? chain->writable_count : 64;
    memcpy(pieces, chain->writable_pieces, sizeof *pieces * (size_t)count);
    count = cut_pieces(pieces, count, header_size, room < largest_read ? room : largest_read);
    if (count == 0) return 0;
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
    ssize_t length;
    do {
        length = recvmsg(connection->socket, &message, MSG_DONTWAIT);
    } while (length < 0 && errno == EINTR);
    if (length < 0 && errno == EAGAIN) {
        connection->readable = false;
        return 0;
    }
    if (length <= 0) {
        connection->client_sent_all = true;
        return 0;
    }
    connection->sent += (uint32_t)length;
    return give(connection, chain, op_data, (uint32_t)length, 0);
}

/* A shutdown of what the client has done with, if the guest does not know yet. Then it is the guest's to let go. */
static uint32_t give_shutdown(struct vsock *vsock, struct connection *connection, struct chain *chain) {
    uint32_t shut = (connection->client_sent_all ? shut_send : 0) | (connection->client_left ? shut_receive : 0);
    if (!(shut & ~connection->told_shut)) return 0;
    connection->told_shut |= shut;
    if (connection->told_shut == shut_both) {
        connection->deadline = vsock_now() + patience_with_guest;
        connection->is_leaving = true;
        TAILQ_INSERT_TAIL(&vsock->leaving, connection, in_leaving);
    }
    return give(connection, chain, op_shutdown, 0, connection->told_shut);
}

/* The next packet of a connection: its length, or 0 when it has none now. */
static uint32_t give_packet(struct vsock *vsock, struct connection *connection, struct chain *chain) {
    if (connection->owes_reset) {
        uint32_t length = give(connection, chain, op_reset, 0, 0);
        let_go(vsock, connection);
        return length;
    }
    if (connection->owes_request) {
        connection->owes_request = false;
        return give(connection, chain, op_request, 0, 0);
    }
    if (connection->state != open) return 0;
    if (connection->owes_response) {
        connection->owes_response = false;
        return give(connection, chain, op_response, 0, 0);
    }
    uint32_t length = give_data(connection, chain);
    if (length == 0) length = give_shutdown(vsock, connection, chain);
    if (length == 0 && connection->owes_credit) length = give(connection, chain, op_credit_update, 0, 0);
    if (length == 0 && connection->asks_credit) {
        connection->asks_credit = false;
        connection->has_asked = true;
        length = give(connection, chain, op_credit_request, 0, 0);
    }
    return length;
}

/* Fills the chain. Its length, or 0 when there was nothing to say. */
static uint32_t give_next(struct vsock *vsock, struct chain *chain) {
    if (vsock->stranger_count > 0) {
        struct stranger stranger = vsock->strangers[--vsock->stranger_count];
        struct header header = {
            .source_port = stranger.host_port, .target_port = stranger.guest_port, .operation = op_reset};
        write_header(chain, &header);
        return header_size;
    }
    struct connection *connection = TAILQ_FIRST(&vsock->ready);
    TAILQ_REMOVE(&vsock->ready, connection, in_ready);
    connection->is_ready = false;
    uint32_t length = give_packet(vsock, connection, chain);
    if (length > 0) make_ready(vsock, connection); /* behind the others */
    return length;
}

/* True when there may be more. */
static bool give_packets(struct vsock *vsock) {
    struct virtqueue *queue = vhost_user_queue(vsock->back_end, to_guest);
    if (!queue) return false;
    bool more = true;
    ignore_chains(queue);
    for (int i = 0; more && i < turn; i++) {
        if (vsock->stranger_count == 0 && TAILQ_EMPTY(&vsock->ready)) {
            more = false;
        } else if (!next_chain(queue, vhost_user_memory(vsock->back_end), &vsock->chain)) {
            more = await_chains(queue);
        } else if (vsock->chain.writable < header_size) {
            queue->broken = true;
            more = false;
        } else {
            uint32_t length = give_next(vsock, &vsock->chain);
            if (length > 0) return_chain(queue, &vsock->chain, length);
        }
    }
    vhost_user_signal(vsock->back_end, to_guest);
    return more;
}

static bool is_broken(struct vsock *vsock, int index) {
    const struct virtqueue *queue = vhost_user_queue(vsock->back_end, index);
    return queue && queue->broken;
}

bool vsock_move(struct vsock *vsock) {
    if (!vsock->back_end) return false;
    bool more = take_packets(vsock);
    int strangers = vsock->stranger_count;
    more = give_packets(vsock) || more;
    /* Until another driver comes, no packet gets through any more. */
    if (is_broken(vsock, from_guest) || is_broken(vsock, to_guest)) vsock_forget_all(vsock);
    /* The guest's packets may have waited for that. */
    return more || (strangers == most_strangers && vsock->stranger_count < strangers);
}
