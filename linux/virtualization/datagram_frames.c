#include "datagram_frames.h"
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { udp_header = 8 }; /* which a filter sees */

void drop_empty_datagrams(int socket) {
    int domain = 0;
    socklen_t length = sizeof domain;
    getsockopt(socket, SOL_SOCKET, SO_DOMAIN, &domain, &length);
    unsigned empty = domain == AF_INET || domain == AF_INET6 ? udp_header : 0;
    struct sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
        BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, empty, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, ~0u), /* the whole of it */
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog filter = {sizeof steps / sizeof *steps, steps};
    setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}
