/* Apple's firmware ends the machine when it finds nothing to boot. OVMF has a shell as its last resort, which waits for
   somebody to type. But it runs what its boot option says: here is one that says "reset -s". OVMF puts the disks that QEMU
   names before it, and its own entry for the shell after it. (EDK II: MdeModulePkg/Include/Guid/VariableFormat.h,
   ShellPkg; UEFI 2.10, 3.1.3.) */
#include "nothing_to_boot.h"
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum {
    first_variable = 0x48 + 28, /* after the headers of the firmware volume and of the store in it */
    option_number = 0x7fff,
    variable_is_there = 0x3f,
    kept_and_for_all = 7, /* non-volatile, of boot services and of run time */
    active = 1,
};

struct __attribute__((packed)) variable {
    uint16_t start;
    uint8_t state, reserved;
    uint32_t attributes;
    uint64_t count;
    uint8_t time[16];
    uint32_t key, name_size, data_size;
    uint8_t vendor[16];
};

struct bytes {
    uint8_t data[1024];
    size_t length;
};

static void add(struct bytes *bytes, const void *data, size_t length) {
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

/* UCS-2 with a zero at the end. */
static void add_text(struct bytes *bytes, const char *text) {
    for (size_t i = 0; i <= strlen(text); i++) add(bytes, (char[]){text[i], 0}, 2);
}

static void add_variable(struct bytes *bytes, const char *name, const struct bytes *value) {
    static const uint8_t efi_global[] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c};
    struct variable header = {.start = 0x55aa, .state = variable_is_there, .attributes = kept_and_for_all};
    header.name_size = (uint32_t)(strlen(name) + 1) * 2;
    header.data_size = (uint32_t)value->length;
    memcpy(header.vendor, efi_global, sizeof efi_global);
    add(bytes, &header, sizeof header);
    add_text(bytes, name);
    add(bytes, value->data, value->length);
    while (bytes->length % 4) add(bytes, "\xff", 1);
}

/* Firmware volume 7CB8BDC9-F8EB-4F34-AAEA-3EE4AF6516A1, file 7C04A583-9E3E-4F1C-AD65-E05268D0B4D1: OVMF's shell. */
static const uint8_t shell[] = {
    0x04, 0x07, 0x14, 0x00, 0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f, 0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1,
    0x04, 0x06, 0x14, 0x00, 0x83, 0xa5, 0x04, 0x7c, 0x3e, 0x9e, 0x1c, 0x4f, 0xad, 0x65, 0xe0, 0x52, 0x68, 0xd0, 0xb4, 0xd1,
    0x7f, 0xff, 0x04, 0x00, /* the end of the path */
};

int add_nothing_to_boot(int store) {
    char volume[4];
    uint16_t start;
    if (pread(store, volume, sizeof volume, 0x28) != sizeof volume || memcmp(volume, "_FVH", sizeof volume) != 0) return 0;
    if (pread(store, &start, sizeof start, first_variable) != sizeof start || start != 0xffff) return 0;
    struct bytes option = {.length = 0}, order = {.length = 0}, variables = {.length = 0};
    uint32_t attributes = active;
    uint16_t path_size = sizeof shell, number = option_number;
    add(&option, &attributes, sizeof attributes);
    add(&option, &path_size, sizeof path_size);
    add_text(&option, "Nothing to boot");
    add(&option, shell, sizeof shell);
    add_text(&option, "Shell.efi reset -s");
    add(&order, &number, sizeof number);
    add_variable(&variables, "Boot7FFF", &option);
    add_variable(&variables, "BootOrder", &order);
    ssize_t written = pwrite(store, variables.data, variables.length, first_variable);
    return written == (ssize_t)variables.length ? 0 : written < 0 ? errno : ENOSPC;
}
