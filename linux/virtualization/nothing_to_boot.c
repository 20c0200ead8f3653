/* Apple's firmware ends the machine when it finds nothing to boot. QEMU's (OVMF, and arm64's) has a shell as its last
   resort, which waits for somebody to type. But it runs what its boot option says: here is one that says "reset -s". The
   firmware puts the disks that QEMU names before it, and its own entry for the shell after it. (EDK II: MdeModulePkg/Include/Guid/VariableFormat.h,
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

/* The shell is file 7C04A583-9E3E-4F1C-AD65-E05268D0B4D1 in a firmware volume: OVMF's 7CB8BDC9-F8EB-4F34-AAEA-3EE4AF6516A1,
   arm64's 64074AFE-340A-4BE6-94BA-91B5B4D0F71E. */
static const uint8_t ovmf_volume[] = {0xc9, 0xbd, 0xb8, 0x7c, 0xeb, 0xf8, 0x34, 0x4f, 0xaa, 0xea, 0x3e, 0xe4, 0xaf, 0x65, 0x16, 0xa1};
static const uint8_t arm_volume[] = {0xfe, 0x4a, 0x07, 0x64, 0x0a, 0x34, 0xe6, 0x4b, 0x94, 0xba, 0x91, 0xb5, 0xb4, 0xd0, 0xf7, 0x1e};
static const uint8_t shell_file[] = {0x83, 0xa5, 0x04, 0x7c, 0x3e, 0x9e, 0x1c, 0x4f, 0xad, 0x65, 0xe0, 0x52, 0x68, 0xd0, 0xb4, 0xd1};

static void add_shell_path(struct bytes *bytes, const uint8_t *volume) {
    static const uint8_t in_volume[] = {4, 7, 20, 0}, is_file[] = {4, 6, 20, 0}, end[] = {0x7f, 0xff, 4, 0};
    add(bytes, in_volume, sizeof in_volume);
    add(bytes, volume, sizeof ovmf_volume);
    add(bytes, is_file, sizeof is_file);
    add(bytes, shell_file, sizeof shell_file);
    add(bytes, end, sizeof end);
}

static int write_at(int store, const struct bytes *bytes, off_t offset) {
    ssize_t written = pwrite(store, bytes->data, bytes->length, offset);
    return written == (ssize_t)bytes->length ? 0 : written < 0 ? errno : ENOSPC;
}

/* arm64's store is made of zeros, and the firmware formats it when it starts. So what it would make is made before: three
   parts of 256 KiB, for variables, for a change that is being made, and spare. */
static int format_arm_store(int store) {
    enum { part = 0x40000, volume_size = 3 * part };
    static const uint8_t file_system[] = {0x8d, 0x2b, 0xf1, 0xff, 0x96, 0x76, 0x8b, 0x4c, 0xa9, 0x85, 0x27, 0x47, 0x07, 0x5b, 0x4f, 0x50};
    static const uint8_t variables[] = {0x78, 0x2c, 0xf3, 0xaa, 0x7b, 0x94, 0x9a, 0x43, 0xa1, 0x80, 0x2e, 0x14, 0x4e, 0xc3, 0x77, 0x92};
    struct bytes header = {.length = 0}, nothing = {.length = sizeof nothing.data};
    memset(nothing.data, 0xff, sizeof nothing.data);
    for (off_t offset = 0; offset < volume_size; offset += (off_t)sizeof nothing.data) {
        int problem = write_at(store, &nothing, offset);
        if (problem) return problem;
    }
    add(&header, (uint8_t[16]){0}, 16);
    add(&header, file_system, sizeof file_system);
    add(&header, (uint64_t[]){volume_size}, 8);
    add(&header, "_FVH", 4);
    add(&header, (uint32_t[]){0xe36}, 4);                         /* attributes */
    add(&header, (uint16_t[]){0x48, 0xf8f8, 0}, 6);               /* length, checksum, no more of it */
    add(&header, (uint8_t[]){0, 2}, 2);                           /* revision */
    add(&header, (uint32_t[]){0x4000000 / part, part, 0, 0}, 16); /* the flash's blocks */
    add(&header, variables, sizeof variables);
    add(&header, (uint32_t[]){part - 0x48}, 4);
    add(&header, (uint8_t[8]){0x5a, 0xfe}, 8); /* formatted, healthy */
    return write_at(store, &header, 0);
}

int add_nothing_to_boot(int store) {
    char volume[4];
    uint16_t start;
    if (pread(store, volume, sizeof volume, 0x28) != sizeof volume) return 0;
    int is_arm = memcmp(volume, "\0\0\0", sizeof volume) == 0;
    if (is_arm) {
        int problem = format_arm_store(store);
        if (problem) return problem;
    } else if (memcmp(volume, "_FVH", sizeof volume) != 0) {
        return 0;
    }
    if (pread(store, &start, sizeof start, first_variable) != sizeof start || start != 0xffff) return 0;
    struct bytes option = {.length = 0}, path = {.length = 0}, order = {.length = 0}, variables = {.length = 0};
    add_shell_path(&path, is_arm ? arm_volume : ovmf_volume);
    uint32_t attributes = active;
    uint16_t path_size = (uint16_t)path.length, number = option_number;
    add(&option, &attributes, sizeof attributes);
    add(&option, &path_size, sizeof path_size);
    add_text(&option, "Nothing to boot");
    add(&option, path.data, path.length);
    add_text(&option, "Shell.efi reset -s");
    add(&order, &number, sizeof number);
    add_variable(&variables, "Boot7FFF", &option);
    add_variable(&variables, "BootOrder", &order);
    return write_at(store, &variables, first_variable);
}
