// Programs ask a Mac for its version by sysctlbyname("kern.osproductversion"). Here the answer is the macOS
// whose SDK this library equals; every other name is unknown.
#include <errno.h>
#include <string.h>

int sysctlbyname(const char *name, void *old_value, size_t *old_length, const void *new_value, size_t new_length) {
    static const char version[] = "27.0";
    if (strcmp(name, "kern.osproductversion") != 0) {
        errno = ENOENT;
        return -1;
    }
    if (new_value || new_length) {
        errno = EPERM;
        return -1;
    }
    if (!old_length) return 0;
    size_t room = *old_length;
    *old_length = sizeof version;
    if (!old_value) return 0;
    if (room < sizeof version) {
        memcpy(old_value, version, room);
        *old_length = room;
        errno = ENOMEM;
        return -1;
    }
    memcpy(old_value, version, sizeof version);
    return 0;
}
