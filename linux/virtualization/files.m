#import "files.h"
#import "internal.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/file.h>
#import <sys/stat.h>
#import <unistd.h>

static int refuse(int why) {
    errno = why;
    return -1;
}

int open_regular_file(NSURL *url, int access) {
    const char *path = [[url path] fileSystemRepresentation];
    struct stat status;
    if (stat(path, &status) != 0) return -1;
    // Before it is opened: to open a device or a named pipe may do something.
    if (S_ISDIR(status.st_mode)) return refuse(EISDIR);
    if (!S_ISREG(status.st_mode)) return refuse(ENOTSUP);
    return open(path, access | O_NONBLOCK | O_CLOEXEC);
}

int reopen_file(int descriptor, int access) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, access | O_CLOEXEC);
}

BOOL lock_file(int descriptor, BOOL readOnly) {
    return flock(descriptor, (readOnly ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0;
}

void add_file(QemuCommandLine *commandLine, NSString *identifier, int descriptor, NSString *options, NSError *invalid) {
    int number = [commandLine passDescriptor:descriptor];
    NSString *name = [NSString stringWithFormat:@"/dev/fdset/%d", number];
    [commandLine add:@"-add-fd" value:@"fd=%d,set=%d", number, number];
    // QEMU's own locks besides: other programs of QEMU's know only those.
    [commandLine add:@"-blockdev"
               value:@"driver=raw,node-name=%@,%@,file.driver=file,file.locking=on,file.filename=%@", identifier, options, name];
    [commandLine explain:[NSString stringWithFormat:@"process using the image [%@]", name] by:invalid];
    [commandLine explain:[NSString stringWithFormat:@"'%@'", name] by:invalid];
}
