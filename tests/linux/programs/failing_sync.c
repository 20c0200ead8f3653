/*
 * Has syncs of a process take a while, and the first SYNC_FAILURES of them fail with the errno that SYNC_ERRNO says: those
 * of files that are being made, not of Deno's own.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_int going, done;

static int is_being_made(int descriptor) {
    char link[64], path[4096] = "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    return readlink(link, path, sizeof path - 1) > 0 && strstr(path, ".partial") != NULL;
}

static int sync_file(long number, int descriptor) {
    if (!is_being_made(descriptor))
        return (int)syscall(number, descriptor);
    if (atomic_fetch_add(&going, 1) > 0)
        dprintf(2, "two syncs at once\n");
    usleep(300000);
    int earlier = atomic_fetch_add(&done, 1);
    atomic_fetch_sub(&going, 1);
    if (earlier >= atoi(getenv("SYNC_FAILURES")))
        return 0;
    errno = atoi(getenv("SYNC_ERRNO"));
    return -1;
}

int fsync(int descriptor) { return sync_file(SYS_fsync, descriptor); }

int fdatasync(int descriptor) { return sync_file(SYS_fdatasync, descriptor); }

__attribute__((destructor)) static void tell(void) { printf("%d syncs\n", done); }
