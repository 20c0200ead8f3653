#ifndef VHOST_USER_H
#define VHOST_USER_H

/* The back end of QEMU's vhost-user protocol, for any virtio device: it has the guest's memory and the device's queues.
   All functions are for one thread. */
#include "virtqueue.h"

enum { most_queues = 8 };

/* What the device is. */
struct vhost_user_kind {
    uint64_t features; /* the device's own, besides those of virtqueues */
    int queues;
    const void *configuration;
    uint32_t configuration_size;
};

struct vhost_user;

/* @param socket A stream socket to the front end, which is handed over. NULL, and errno, when it cannot be made. */
struct vhost_user *vhost_user_new(int socket, const struct vhost_user_kind *kind);
void vhost_user_free(struct vhost_user *back_end);

/* A descriptor that is readable when there is something to handle. */
int vhost_user_descriptor(const struct vhost_user *back_end);
/* Takes the messages that there are, and the guest's words that it has filled queues. False when the front end has gone
   or talks rubbish. */
bool vhost_user_handle(struct vhost_user *back_end);

/* The queue while it runs; otherwise NULL. It may be another one, or none, after each vhost_user_handle. */
struct virtqueue *vhost_user_queue(struct vhost_user *back_end, int index);
const struct guest_memory *vhost_user_memory(const struct vhost_user *back_end);
/* Tells the guest of what was returned in a queue, if it wants to know. */
void vhost_user_signal(struct vhost_user *back_end, int index);
/* The number of the driver at work: it changes when a queue starts anew, and not where it stopped. */
unsigned vhost_user_driver(const struct vhost_user *back_end);

#endif
