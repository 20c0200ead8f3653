// What a guest does with its sockets. `serve PORT`: answers connections of the host's, each as its first byte says.
// `dial PORT WHAT [NUMBER]`: makes connections to the host.
#include <errno.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { piece = 1 << 16 };
static char bytes[piece];

static int connect_to(unsigned port) {
    struct sockaddr_vm name = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_HOST, .svm_port = port};
    int made = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (connect(made, (struct sockaddr *)&name, sizeof name) == 0) return made;
    printf("connect: %s\n", strerror(errno));
    exit(0);
}

/* The bytes of a stream from `at` on: numbers that differ from stream to stream and from place to place. */
static void fill(uint32_t stream, long at, long length) {
    uint32_t *words = (uint32_t *)bytes;
    for (long i = 0; i < length / 4; i++) words[i] = stream * 2654435761u + (uint32_t)(at / 4 + i);
}

static int is_right(uint32_t stream, long at, long length) {
    static char got[piece];
    memcpy(got, bytes, (size_t)length);
    fill(stream, at, length);
    return memcmp(got, bytes, (size_t)length) == 0;
}

static long read_some(int from, long wanted) {
    long done = 0;
    while (done < wanted) {
        ssize_t length = read(from, bytes + done, (size_t)(wanted - done));
        if (length < 0) return -1;
        if (length == 0) break;
        done += length;
    }
    return done;
}

static int write_all(int to, long length) {
    for (long done = 0; done < length;) {
        ssize_t written = send(to, bytes + done, (size_t)(length - done), MSG_NOSIGNAL);
        if (written < 0) return -1;
        done += written;
    }
    return 0;
}

static void send_stream(int to, uint32_t stream, long length) {
    for (long at = 0; at < length; at += piece) {
        long part = length - at < piece ? length - at : piece;
        fill(stream, at, part);
        if (write_all(to, part) < 0) {
            printf("write: %s\n", strerror(errno));
            return;
        }
    }
}

/* Until the end. How many bytes, and whether they are the stream's. */
static void receive_stream(int from, uint32_t stream, long *length, int *right) {
    *length = 0;
    *right = 1;
    for (long part; (part = read_some(from, piece)) != 0; *length += part) {
        if (part < 0) {
            printf("read: %s\n", strerror(errno));
            return;
        }
        *right = *right && is_right(stream, *length, part);
    }
}

static void echo(int connection) {
    ssize_t length;
    while ((length = read(connection, bytes, sizeof bytes)) > 0 && write_all(connection, length) == 0) {
    }
}

/* The first byte and the number after it say what is wanted. */
static void serve_one(int connection) {
    char request[9] = "";
    for (int got = 0; got < 9;) {
        ssize_t length = read(connection, request + got, (size_t)(9 - got));
        if (length <= 0) return;
        got += (int)length;
    }
    char what = request[0], number[9] = "";
    memcpy(number, request + 1, 8);
    long count = atol(number), length = 0;
    int right = 0;
    switch (what) {
    case 'e': echo(connection); break;
    case 's': send_stream(connection, 7, count); break;
    case 'c': /* which ends its side first, and wants to know */
        receive_stream(connection, 7, &length, &right);
        dprintf(connection, "%ld %d\n", length, right);
        break;
    case 'h': /* ends its own side first */
        dprintf(connection, "bye\n");
        shutdown(connection, SHUT_WR);
        receive_stream(connection, 7, &length, &right);
        printf("half %ld %d\n", length, right);
        break;
    case 'n': /* takes nothing until it is told to */
        while (access("/tmp/go", F_OK) != 0) usleep(20000);
        receive_stream(connection, 7, &length, &right);
        dprintf(connection, "%ld %d\n", length, right);
        break;
    case 'x': exit(0); /* without a word */
    }
}

static int listen_at(unsigned port) {
    struct sockaddr_vm name = {.svm_family = AF_VSOCK, .svm_cid = VMADDR_CID_ANY, .svm_port = port};
    int listener = socket(AF_VSOCK, SOCK_STREAM, 0);
    if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 128) != 0) exit(1);
    return listener;
}

static void serve(unsigned port) {
    int listener = listen_at(port);
    signal(SIGCHLD, SIG_IGN);
    printf("listening\n");
    for (;;) {
        int connection = accept(listener, NULL, NULL);
        if (connection < 0) continue;
        if (fork() == 0) {
            close(listener);
            serve_one(connection);
            exit(0);
        }
        close(connection);
    }
}

/* Sends a stream and gets it back, both at once. */
static int exchange(int connection, uint32_t stream, long length) {
    pid_t sender = fork();
    if (sender == 0) {
        send_stream(connection, stream, length);
        shutdown(connection, SHUT_WR);
        exit(0);
    }
    long got;
    int right;
    receive_stream(connection, stream, &got, &right);
    waitpid(sender, NULL, 0);
    return got == length && right;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void dial(unsigned port, const char *what, long number) {
    if (strcmp(what, "many") == 0) { /* so many at once, of 1 MB each */
        int *connections = calloc((size_t)number, sizeof(int)), well = 0, status;
        for (long i = 0; i < number; i++) connections[i] = connect_to(port);
        for (long i = 0; i < number; i++) {
            if (fork() == 0) exit(!exchange(connections[i], (uint32_t)i, 1000000));
        }
        for (long i = 0; i < number; i++) {
            if (wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) well++;
        }
        printf("%d of %ld\n", well, number);
        return;
    }
    if (strcmp(what, "turns") == 0) { /* one after another */
        int well = 0;
        for (long i = 0; i < number; i++) {
            int connection = connect_to(port);
            well += exchange(connection, (uint32_t)i, 1000);
            close(connection);
        }
        printf("%d of %ld\n", well, number);
        return;
    }
    int connection = connect_to(port), right;
    long length;
    if (strcmp(what, "send") == 0) {
        double start = now();
        send_stream(connection, 7, number);
        shutdown(connection, SHUT_WR);
        long left = read_some(connection, 1); /* its end is when all was taken */
        printf("sent %ld %.3f\n", left, now() - start);
    } else if (strcmp(what, "receive") == 0) {
        double start = now();
        receive_stream(connection, 7, &length, &right);
        printf("received %ld %d %.3f\n", length, right, now() - start);
    } else if (strcmp(what, "ping") == 0) {
        double start = now();
        for (long i = 0; i < number; i++) {
            if (write(connection, "x", 1) != 1 || read(connection, bytes, 1) != 1) break;
        }
        printf("round trip %.1f us\n", (now() - start) / (double)number * 1e6);
    } else if (strcmp(what, "wait") == 0) { /* for the end, whatever it is */
        struct pollfd end = {connection, POLLIN, 0};
        printf("waiting\n");
        poll(&end, 1, -1);
        ssize_t got = read(connection, bytes, 1);
        printf("ended %zd %s\n", got, got < 0 ? strerror(errno) : "");
    }
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc < 3) return 2;
    unsigned port = (unsigned)strtoul(argv[2], NULL, 10);
    if (strcmp(argv[1], "serve") == 0) {
        serve(port);
    } else {
        dial(port, argv[3], argc > 4 ? atol(argv[4]) : 0);
    }
    return 0;
}
