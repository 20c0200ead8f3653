// clonefile of macOS: a copy that shares its data with the original until either is written. Where the file system
// cannot share, the data is copied, and holes stay holes.
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_range(int from, int to, off_t at, off_t end) {
    off_t at_to = at;
    while (at < end) {
        ssize_t copied = copy_file_range(from, &at, to, &at_to, (size_t)(end - at), 0);
        if (copied < 0 && errno == EINTR) continue;
        if (copied < 0) return -1;
        if (copied == 0) break; // the original was made shorter meanwhile
    }
    return 0;
}

static int copy_data(int from, int to, off_t size) {
    if (ftruncate(to, size) != 0) return -1;
    for (off_t hole = 0;;) {
        off_t data = lseek(from, hole, SEEK_DATA);
        if (data < 0) return errno == ENXIO ? 0 : -1;
        hole = lseek(from, data, SEEK_HOLE);
        if (hole < 0 || copy_range(from, to, data, hole) != 0) return -1;
    }
}

int clonefile(const char *from_path, const char *to_path, uint32_t flags) {
    (void)flags;
    int failed = 0;
    struct stat original;
    int from = open(from_path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return -1;
    if (fstat(from, &original) != 0 || !S_ISREG(original.st_mode)) {
        close(from);
        errno = ENOTSUP;
        return -1;
    }
    int to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, original.st_mode & 0777);
    if (to < 0) {
        failed = errno;
    } else if (ioctl(to, FICLONE, from) != 0 && copy_data(from, to, original.st_size) != 0) {
        failed = errno;
        unlink(to_path);
    }
    if (to >= 0 && close(to) != 0 && !failed) {
        failed = errno;
        unlink(to_path);
    }
    close(from);
    errno = failed;
    return failed ? -1 : 0;
}
