#include "own_folders.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The C library's own header of mounts has the same names as the kernel's. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
enum { nosuid = 2, nodev = 4, noexec = 8, recursively = 16384, private_to_us = 1 << 18 };

#ifndef AT_RECURSIVE /* newer than some C libraries */
#define AT_RECURSIVE 0x8000
#endif

/* A folder that each system has, and no file server looks into: what is in it is out of sight in our namespace. */
static const char place[] = "/sys";

static int make_read_only(int mounted, unsigned int flags) {
    struct mount_attr attributes = {.attr_set = MOUNT_ATTR_RDONLY};
    return (int)syscall(SYS_mount_setattr, mounted, "", AT_EMPTY_PATH | flags, &attributes, sizeof attributes);
}

/* The folder, by its path: a descriptor of before is of another namespace, from where it cannot be mounted. */
static int open_checked(const struct own_folder *folder) {
    struct stat found;
    int source = open(folder->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (source < 0 || fstat(source, &found) != 0) return -1;
    if (found.st_dev == folder->device && found.st_ino == folder->inode) return source;
    errno = ESTALE;
    return -1;
}

static int add(int root, const struct own_folder *folder, int source) {
    int tree = (int)syscall(SYS_open_tree, source, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
    if (tree < 0) return -1;
    if (folder->read_only && make_read_only(tree, AT_RECURSIVE) != 0) return -1;
    if (mkdirat(root, folder->name, 0555) != 0) return -1;
    return (int)syscall(SYS_move_mount, tree, "", root, folder->name, MOVE_MOUNT_F_EMPTY_PATH);
}

int open_own_folders(const struct own_folders *folders, int descriptor) {
    int sources[folders->count + 1];
    if (unshare(CLONE_NEWNS) != 0) return errno;
    if (mount(NULL, "/", NULL, recursively | private_to_us, NULL) != 0) return errno;
    for (int i = 0; i < folders->count; i++) { /* before anything is out of sight */
        sources[i] = open_checked(&folders->folders[i]);
        if (sources[i] < 0) return errno;
    }
    if (mount("folders", place, "tmpfs", nosuid | nodev | noexec, "mode=555,size=64k") != 0) return errno;
    int root = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return errno;
    for (int i = 0; i < folders->count; i++) {
        if (add(root, &folders->folders[i], sources[i]) != 0) return errno;
    }
    if (make_read_only(root, 0) != 0) return errno;
    return dup2(root, descriptor) < 0 ? errno : 0;
}
