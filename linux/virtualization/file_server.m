#import "file_server.h"
#import "file_server_filter.h"
#import "internal.h"
#import "qemu_program.h"
#import <errno.h>
#import <sys/socket.h>
#import <sys/un.h>
#import <unistd.h>

/// The descriptors that it gets, as the command line numbers them, after the standard ones.
enum { folder_number = 3, listener_number };

static NSString *program(void) {
    NSString *chosen = environment("VIRTUALIZATION_VIRTIOFSD");
    if (chosen) return is_program(chosen) ? chosen : nil;
    for (NSString *path in @[ @"/usr/libexec/virtiofsd", @"/usr/lib/qemu/virtiofsd" ]) {
        if (is_program(path)) return path;
    }
    return program_in_path(@"virtiofsd");
}

/// A socket that listens, as virtiofsd wants it, with QEMU's connection to it already waiting. Its name is one of the
/// kernel's choice and not in the file system; nobody else can have got there first, because with a backlog of 0 one
/// connection waits at most, and ours would then have been refused.
static int listening_socket(int *connection) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t length = sizeof address.sun_family;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    *connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    BOOL made = listener >= 0 && *connection >= 0 && bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 0) == 0;
    length = sizeof address;
    made = made && getsockname(listener, (struct sockaddr *)&address, &length) == 0 &&
           connect(*connection, (struct sockaddr *)&address, length) == 0;
    if (made) return listener;
    if (*connection >= 0) close(*connection);
    if (listener >= 0) close(listener);
    return -1;
}

static const struct confinement *confinement(BOOL readOnly) {
    static struct confinement kinds[2];
    static dispatch_once_t once;
    dispatch_once(&once, ^{
      for (int kind = 0; kind < 2; kind++) {
          kinds[kind] = (struct confinement){geteuid() != 0, file_server_filter(kind)};
      }
    });
    return &kinds[readOnly ? 1 : 0];
}

ChildProcess *file_server(int folder, BOOL readOnly, NSString *tag, int *connection, NSError **error) {
    CommandLine *commandLine = [[[CommandLine alloc] init] autorelease];
    [commandLine passDescriptor:folder];
    NSString *path = program();
    if (!path) {
        fail(error, virtualization_error(VZErrorInternal, @"The program “virtiofsd” is not there, which shared directories need; "
                                                          @"Debian's package qemu-system-common or virtiofsd has it."));
        return nil;
    }
    int listener = listening_socket(connection);
    if (listener < 0) {
        fail(error, virtualization_error(VZErrorInternal, @"A connection to “%@” could not be made: %s.", path, strerror(errno)));
        return nil;
    }
    [commandLine passDescriptor:listener];
    [commandLine add:@"-f"];
    [commandLine add:[NSString stringWithFormat:@"--fd=%d", listener_number]];
    // The folder by its descriptor is the one that was checked, and needs no quoting. In a namespace of its own virtiofsd
    // would be two processes, of which one only waits.
    [commandLine add:@"-o" value:@"source=/proc/self/fd/%d/.,sandbox=chroot", folder_number];
    if (geteuid() != 0) [commandLine add:@"--rlimit-nofile=0"]; // the limit is the highest allowed already
    NSString *name = [NSString stringWithFormat:@"The server of the shared directory “%@”", tag];
    return [[[ChildProcess alloc] initWithName:name program:path commandLine:commandLine
                                   confinement:confinement(readOnly)] autorelease];
}
