// What programs ask a Mac by sysctlbyname: its version, which here is the one that the library claims to be, and its
// machine, which here is the guests'. Every other name is unknown.
#include "macos_version.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

static const char *machine(void) {
    static struct utsname host;
    const char *chosen = getenv("VIRTUALIZATION_GUEST_ARCH");
    if (!chosen || !*chosen) {
        uname(&host);
        chosen = host.machine;
    }
    return strcmp(chosen, "aarch64") == 0 ? "arm64" : chosen; // Apple's word
}

int sysctlbyname(const char *name, void *old_value, size_t *old_length, const void *new_value, size_t new_length) {
    const char *value = strcmp(name, "kern.osproductversion") == 0 ? macos_version() : strcmp(name, "hw.machine") == 0 ? machine() : NULL;
    if (!value) {
        errno = ENOENT;
        return -1;
    }
    if (new_value || new_length) {
        errno = EPERM;
        return -1;
    }
    if (!old_length) return 0;
    size_t room = *old_length;
    size_t length = strlen(value) + 1;
    *old_length = length;
    if (!old_value) return 0;
    if (room < length) {
        memcpy(old_value, value, room);
        *old_length = room;
        errno = ENOMEM;
        return -1;
    }
    memcpy(old_value, value, length);
    return 0;
}
