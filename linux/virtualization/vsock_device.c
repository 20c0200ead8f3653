#include "vsock.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { patience_at_end = 1000, most_events = 64 }; /* milliseconds without a byte taken, as a console's reader has */

struct command {
    struct command *next;
    enum { dial, answer, guest_was_reset } kind;
    uint32_t guest_port;
    void *token;
    struct vsock_request request;
    int descriptor;
};

struct vsock_device {
    struct vsock vsock; /* the thread's */
    int wake;           /* readable when there are commands */
    int references;
    pthread_mutex_t lock;
    /* Guarded by it. */
    struct command *first, **last;
    bool ended;
};

/* What epoll's events point to besides connections. */
static char wake_event, back_end_event;

static void release(struct vsock_device *device) {
    if (__atomic_sub_fetch(&device->references, 1, __ATOMIC_ACQ_REL) > 0) return;
    if (device->vsock.back_end) vhost_user_free(device->vsock.back_end);
    if (device->vsock.epoll >= 0) close(device->vsock.epoll);
    if (device->wake >= 0) close(device->wake);
    pthread_mutex_destroy(&device->lock);
    free(device);
}

void vsock_device_release(struct vsock_device *device) {
    if (device) release(device);
}

/* ---- Commands */

static int send_command(struct vsock_device *device, struct command command) {
    struct command *copy = malloc(sizeof *copy);
    if (!copy) return ENOMEM;
    *copy = command;
    copy->next = NULL;
    pthread_mutex_lock(&device->lock);
    bool ended = device->ended;
    if (!ended) {
        *device->last = copy;
        device->last = &copy->next;
        uint64_t one = 1;
        if (write(device->wake, &one, sizeof one) < 0) ended = false; /* it is full: the thread is about to look */
    }
    pthread_mutex_unlock(&device->lock);
    if (ended) free(copy);
    return ended ? ECONNRESET : 0;
}

int vsock_device_connect(struct vsock_device *device, uint32_t guest_port, void *token) {
    return send_command(device, (struct command){.kind = dial, .guest_port = guest_port, .token = token});
}

void vsock_device_answer(struct vsock_device *device, struct vsock_request request, int descriptor) {
    struct command command = {.kind = answer, .request = request, .descriptor = descriptor};
    if (send_command(device, command) != 0 && descriptor >= 0) close(descriptor);
}

void vsock_device_guest_was_reset(struct vsock_device *device) {
    send_command(device, (struct command){.kind = guest_was_reset});
}

static struct command *take_commands(struct vsock_device *device, bool forGood) {
    pthread_mutex_lock(&device->lock);
    struct command *first = device->first;
    device->first = NULL;
    device->last = &device->first;
    if (forGood) device->ended = true;
    pthread_mutex_unlock(&device->lock);
    return first;
}

static void run_commands(struct vsock_device *device, bool forGood) {
    struct vsock *vsock = &device->vsock;
    for (struct command *command = take_commands(device, forGood), *next; command; command = next) {
        next = command->next;
        switch (command->kind) {
        case dial: vsock_dial(vsock, command->guest_port, command->token); break;
        case answer: vsock_answer(vsock, command->request, command->descriptor); break;
        case guest_was_reset:
            /* When its queues run it is another driver already, for which the old connections have been forgotten. */
            if (vsock->back_end && !vhost_user_queue(vsock->back_end, 0)) vsock_forget_all(vsock);
        }
        free(command);
    }
}

/* ---- The thread */

static bool add_event(struct vsock *vsock, int descriptor, void *tag) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = tag};
    return epoll_ctl(vsock->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/* Waits, and notes what has happened. False when nothing did for so long. */
static bool await_events(struct vsock_device *device, int milliseconds) {
    struct vsock *vsock = &device->vsock;
    struct epoll_event events[most_events];
    int count = epoll_wait(vsock->epoll, events, most_events, milliseconds);
    bool commanded = false, handled = true;
    for (int i = 0; i < count; i++) {
        if (events[i].data.ptr == &wake_event) {
            uint64_t number;
            commanded = read(device->wake, &number, sizeof number) > 0;
        } else if (events[i].data.ptr == &back_end_event) {
            handled = vhost_user_handle(vsock->back_end);
        } else {
            vsock_note_socket(vsock, events[i].data.ptr, events[i].events);
        }
    }
    if (!handled) {
        vhost_user_free(vsock->back_end);
        vsock->back_end = NULL;
    }
    if (vsock->back_end) vsock_note_driver(vsock);
    if (commanded) run_commands(device, false);
    return count != 0;
}

/* QEMU has gone. What it has left is for clients that take it. */
static void finish(struct vsock_device *device) {
    struct vsock *vsock = &device->vsock;
    run_commands(device, true);
    vsock_forget_all(vsock);
    vsock_bury(vsock);
    while (!TAILQ_EMPTY(&vsock->all) && await_events(device, patience_at_end)) vsock_bury(vsock);
    vsock_close(vsock);
}

static void *thread_main(void *argument) {
    struct vsock_device *device = argument;
    struct vsock *vsock = &device->vsock;
    pthread_setname_np(pthread_self(), "sockets");
    bool more = false;
    while (vsock->back_end) {
        int pause = vsock_expire(vsock);
        await_events(device, more ? 0 : pause);
        more = vsock_move(vsock);
        vsock_bury(vsock);
    }
    finish(device);
    vsock->client.ended(vsock->client.context);
    release(device);
    return NULL;
}

static int start(struct vsock_device *device, int socket) {
    struct vsock *vsock = &device->vsock;
    vsock->epoll = epoll_create1(EPOLL_CLOEXEC);
    device->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    vsock->back_end = vhost_user_new(socket, &vsock_kind);
    if (vsock->epoll < 0 || device->wake < 0 || !vsock->back_end) return errno;
    if (!add_event(vsock, device->wake, &wake_event)) return errno;
    if (!add_event(vsock, vhost_user_descriptor(vsock->back_end), &back_end_event)) return errno;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int problem = pthread_create(&thread, NULL, thread_main, device);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (problem == 0) pthread_detach(thread);
    return problem;
}

struct vsock_device *vsock_device_start(int socket, struct vsock_client client) {
    struct vsock_device *device = calloc(1, sizeof *device);
    if (!device) {
        close(socket);
        return NULL;
    }
    vsock_open(&device->vsock);
    device->vsock.client = client;
    device->last = &device->first;
    device->references = 2;
    pthread_mutex_init(&device->lock, NULL);
    int problem = start(device, socket);
    if (problem == 0) return device;
    device->references = 1;
    release(device);
    errno = problem;
    return NULL;
}
