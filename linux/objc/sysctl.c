// What programs ask a Mac by sysctlbyname: its version, which here is the one that the library claims to be, and its
// machine, which here is the guests'; and by sysctl: whom it has heard on its networks, which a Mac has of its guests.
// Every other name is unknown.
#include "../virtualization/guest_cards.h"
#include "macos_version.h"
#include <errno.h>
#include <stdio.h>
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

/* The table of neighbours as macOS has it: a struct rt_msghdr for each, its sockaddr_inarp and its sockaddr_dl. */
enum { message_header = 92, protocol_address = 16, link_address = 20, message = message_header + protocol_address + link_address };

struct table {
    unsigned char *bytes;
    size_t room, length; /* it may be longer than there is room for */
};

static void add_neighbour(struct table *table, const void *address, const void *mac) {
    unsigned char *entry = table->bytes + table->length;
    table->length += message;
    if (table->length > table->room) return;
    memset(entry, 0, message);
    entry[0] = message;
    unsigned char *protocol = entry + message_header, *link = protocol + protocol_address;
    protocol[0] = protocol_address;
    protocol[1] = 2; /* AF_INET */
    memcpy(protocol + 4, address, 4);
    link[0] = link_address;
    link[1] = 18; /* AF_LINK */
    link[6] = 6;
    memcpy(link + 8, mac, 6);
}

static void add_guest(void *table, struct ether_addr mac, struct in_addr address) {
    add_neighbour(table, &address, &mac);
}

int sysctl(int *name, unsigned name_length, void *old_value, size_t *old_length, const void *new_value, size_t new_length) {
    static const int neighbours[] = {4, 17, 0, 2, 2, 0x400}; /* net, route, any protocol, inet, those with flags, llinfo */
    if (name_length != sizeof neighbours / sizeof *neighbours || memcmp(name, neighbours, sizeof neighbours) != 0) {
        errno = ENOENT;
        return -1;
    }
    if (new_value || new_length || !old_length) {
        errno = EPERM;
        return -1;
    }
    FILE *file = fopen("/proc/net/arp", "re");
    if (!file) return -1;
    struct table table = {old_value, old_value ? *old_length : 0, 0};
    char line[256];
    while (fgets(line, sizeof line, file)) {
        unsigned char address[4], mac[6];
        unsigned flags;
        if (sscanf(line, "%hhu.%hhu.%hhu.%hhu %*s %x %hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &address[0], &address[1], &address[2],
                   &address[3], &flags, &mac[0], &mac[1], &mac[2], &mac[3], &mac[4], &mac[5]) != 11 || !(flags & 2)) continue;
        add_neighbour(&table, address, mac);
    }
    fclose(file);
    each_guest_card(add_guest, &table);
    *old_length = table.length;
    if (!old_value || table.length <= table.room) return 0;
    errno = ENOMEM;
    return -1;
}
