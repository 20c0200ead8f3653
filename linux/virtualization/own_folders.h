#ifndef OWN_FOLDERS_H
#define OWN_FOLDERS_H

#include <sys/types.h>

/* A folder as a file server sees it: by a name, in a folder that holds nothing else. */
struct own_folder {
    const char *name, *path;
    int read_only;
    /* Which folder was at the path when it was checked. */
    dev_t device;
    ino_t inode;
};

struct own_folders {
    int count;
    const struct own_folder *folders;
};

/* In a mount namespace of the calling process's own, puts folders together in one, and opens that as a descriptor.
   System calls only: it runs in the memory of another process. Returns 0, or errno. */
int open_own_folders(const struct own_folders *folders, int descriptor);

#endif
