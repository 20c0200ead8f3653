#ifndef VSOCK_DEVICE_H
#define VSOCK_DEVICE_H

/* A socket device (virtio 1.2, 5.10) behind QEMU's vhost-user-vsock, on a thread of its own, which sleeps while nothing
   happens and ends with QEMU. A connection of the guest's is one end of a pair of unix sockets here; the other end is
   the client's. */
#include <stdint.h>

enum { vsock_host = 2, vsock_guest = 3 }; /* context identifiers */

/* What the guest wants a connection to, until it is answered. */
struct vsock_request {
    uint64_t number;
    uint32_t guest_port, host_port;
};

/* Called on the device's thread. */
struct vsock_client {
    void *context;
    /* The guest asks for a connection: vsock_device_answer has to follow. */
    void (*requested)(void *context, struct vsock_request request);
    /* How a connection to the guest turned out: problem is 0, or an errno and there is no descriptor. */
    void (*connected)(void *context, void *token, int problem, int descriptor, uint32_t host_port);
    /* Nothing is called any more. */
    void (*ended)(void *context);
};

struct vsock_device;

/* @param socket Leads to QEMU, and is handed over. NULL, and errno, when it cannot be started; nothing is called then. */
struct vsock_device *vsock_device_start(int socket, struct vsock_client client);
/* The device goes on until QEMU ends. */
void vsock_device_release(struct vsock_device *device);

/* 0 when the client will hear how it turned out; otherwise errno. */
int vsock_device_connect(struct vsock_device *device, uint32_t guest_port, void *token);
/* @param descriptor One end of a pair, which is handed over, or -1 to refuse. */
void vsock_device_answer(struct vsock_device *device, struct vsock_request request, int descriptor);
/* The guest has been reset: its connections are gone, if it has not made any since. */
void vsock_device_guest_was_reset(struct vsock_device *device);

#endif
