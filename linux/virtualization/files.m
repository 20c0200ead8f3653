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

void unlock_file(int descriptor) {
    flock(descriptor, LOCK_UN);
    struct flock everything = {.l_type = F_UNLCK, .l_whence = SEEK_SET}; // QEMU's own locks, on the same description
    fcntl(descriptor, F_OFD_SETLK, &everything);
}

static NSString *name_in_qemu(int set) {
    return [NSString stringWithFormat:@"/dev/fdset/%d", set];
}

NSDictionary *block_device(NSString *identifier, int set, NSDictionary *options) {
    NSMutableDictionary *device = [NSMutableDictionary dictionaryWithDictionary:options];
    [device setObject:@"raw" forKey:@"driver"];
    [device setObject:identifier forKey:@"node-name"];
    // QEMU's own locks besides: other programs of QEMU's know only those.
    NSMutableDictionary *file = [NSMutableDictionary dictionaryWithDictionary:@{@"driver" : @"file", @"locking" : @"on"}];
    [file addEntriesFromDictionary:[options objectForKey:@"file"]];
    [file setObject:name_in_qemu(set) forKey:@"filename"];
    [device setObject:file forKey:@"file"];
    return device;
}

int add_file(QemuCommandLine *commandLine, NSString *identifier, int descriptor, NSDictionary *options, NSError *invalid) {
    int set = [commandLine passDescriptor:descriptor];
    [commandLine add:@"-add-fd" value:@"fd=%d,set=%d", set, set];
    NSDictionary *device = block_device(identifier, set, options);
    NSData *json = [NSJSONSerialization dataWithJSONObject:device options:0 error:NULL];
    [commandLine add:@"-blockdev" value:@"%@", [[[NSString alloc] initWithData:json encoding:NSUTF8StringEncoding] autorelease]];
    [commandLine explain:[NSString stringWithFormat:@"process using the image [%@]", name_in_qemu(set)] by:invalid];
    [commandLine explain:[NSString stringWithFormat:@"'%@'", name_in_qemu(set)] by:invalid];
    return set;
}
