#include "fill_randomly.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

/* Where a container refuses the system call, the device may do. */
static ssize_t some(void *bytes, size_t length) {
    ssize_t got = getrandom(bytes, length, 0);
    if (got >= 0 || errno == EINTR) return got < 0 ? 0 : got;
    int failure = errno, device = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    got = device < 0 ? -1 : read(device, bytes, length);
    if (device >= 0) close(device);
    errno = failure;
    return got;
}

void fill_randomly(void *bytes, size_t length) {
    for (size_t filled = 0; filled < length;) {
        ssize_t got = some((char *)bytes + filled, length - filled);
        if (got < 0) {
            fprintf(stderr, "There are no random numbers: getrandom: %s\n", strerror(errno));
            abort();
        }
        filled += (size_t)got;
    }
}
