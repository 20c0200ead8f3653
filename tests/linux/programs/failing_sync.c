/* Has every sync of a process fail as a disk does, or a file system that knows none: with the errno that SYNC_ERRNO says. */
#include <errno.h>
#include <stdlib.h>

static int fail(void) {
    errno = atoi(getenv("SYNC_ERRNO"));
    return -1;
}

int fsync(int descriptor) {
    (void)descriptor;
    return fail();
}

int fdatasync(int descriptor) {
    (void)descriptor;
    return fail();
}
