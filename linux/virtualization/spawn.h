#ifndef SPAWN_H
#define SPAWN_H

#include "own_folders.h"
#include <linux/filter.h>
#include <sys/types.h>

/* What a program may do no longer. */
struct confinement {
    int own_users;            /* it is root in a user namespace that has the caller's user only */
    struct sock_fprog filter; /* over its system calls */
    /* NULL, or the folders that it sees as one, which is its descriptor folders_number. */
    const struct own_folders *folders;
    int folders_number;
};

/* Starts a program that dies with the calling THREAD, whatever ends it: that thread has to wait for the program.
   The program gets descriptors[i] as its descriptor i and no others; each must be at least count.
   confinement may be NULL. Returns 0, or errno; *step then says what failed, when that is not plain. */
int spawn_bound(const char *path, char *const arguments[], const int *descriptors, int count,
                const struct confinement *confinement, pid_t *pid, const char **step);

#endif
