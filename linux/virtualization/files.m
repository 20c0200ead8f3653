#import "files.h"
#import "internal.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/stat.h>
#import <unistd.h>

NSString *url_text(NSURL *url) {
    return [url isFileURL] ? [url path] : [url absoluteString];
}

static int refuse(NSString **problem, const char *why) {
    *problem = [NSString stringWithFormat:@"could not be opened: %s", why];
    return -1;
}

int open_regular_file(NSURL *url, int access, NSString **problem) {
    if (![url isFileURL]) return refuse(problem, "not a file URL");
    const char *path = [[url path] fileSystemRepresentation];
    struct stat status;
    if (stat(path, &status) != 0) return refuse(problem, strerror(errno));
    // Before it is opened: to open a device or a named pipe may do something.
    if (S_ISDIR(status.st_mode)) return refuse(problem, strerror(EISDIR));
    if (!S_ISREG(status.st_mode)) return refuse(problem, "Not a regular file");
    int descriptor = open(path, access | O_NONBLOCK | O_CLOEXEC);
    return descriptor < 0 ? refuse(problem, strerror(errno)) : descriptor;
}

int reopen_file(int descriptor, int access, NSString **problem) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    int again = open(path, access | O_CLOEXEC);
    return again < 0 ? refuse(problem, strerror(errno)) : again;
}

void add_file(QemuCommandLine *commandLine, NSString *identifier, int descriptor, NSString *options, NSString *description) {
    int number = [commandLine passDescriptor:descriptor];
    NSString *name = [NSString stringWithFormat:@"/dev/fdset/%d", number];
    [commandLine add:@"-add-fd" value:@"fd=%d,set=%d", number, number];
    [commandLine add:@"-blockdev"
               value:@"driver=raw,node-name=%@,%@,file.driver=file,file.locking=on,file.filename=%@", identifier, options, name];
    [commandLine explain:[NSString stringWithFormat:@"process using the image [%@]", name]
                      by:virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                              @"The %@ is in use by another virtual machine, or twice by this one.", description)];
    [commandLine explain:[NSString stringWithFormat:@"'%@'", name]
                      by:virtualization_error(VZErrorInvalidDiskImage, @"The %@ could not be opened by QEMU.", description)];
}
