#import "bridge.h"
#import "internal.h"
#import "qemu_program.h"
#import <errno.h>
#import <sys/socket.h>
#import <unistd.h>

static NSString *const networks = @"/sys/class/net";

NSArray *bridges(void) {
    NSMutableArray *names = [NSMutableArray array];
    NSFileManager *files = [NSFileManager defaultManager];
    for (NSString *name in [files contentsOfDirectoryAtPath:networks error:NULL]) {
        NSString *path = [[networks stringByAppendingPathComponent:name] stringByAppendingPathComponent:@"bridge"];
        if ([files fileExistsAtPath:path]) [names addObject:name];
    }
    return [names sortedArrayUsingSelector:@selector(compare:)];
}

/// QEMU's program for that, which is allowed more than its user.
static NSString *helper(void) {
    for (NSString *path in @[ @"/usr/lib/qemu/qemu-bridge-helper", @"/usr/libexec/qemu-bridge-helper" ]) {
        if (is_program(path)) return path;
    }
    return program_in_path(@"qemu-bridge-helper");
}

/// The descriptor that was sent, or -1 when the other end is closed without.
static int receive_descriptor(int socket) {
    char byte;
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t length;
    do length = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
    while (length < 0 && errno == EINTR);
    struct cmsghdr *header = length > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!header || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) return -1;
    int descriptor;
    memcpy(&descriptor, CMSG_DATA(header), sizeof descriptor);
    return descriptor;
}

int plug_into_bridge(NSString *bridge, NSError **error) {
    NSString *program = helper();
    if (!program) {
        fail(error, virtualization_error(VZErrorInternal, @"The program “qemu-bridge-helper” is not there, which bridged networks "
                                                          @"need; Debian's package qemu-system-common has it."));
        return -1;
    }
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fail(error, virtualization_error(VZErrorNetworkError, @"A socket could not be made: %s.", strerror(errno)));
        return -1;
    }
    CommandLine *commandLine = [[[CommandLine alloc] init] autorelease];
    [commandLine add:@"--use-vnet"];
    [commandLine add:[NSString stringWithFormat:@"--fd=%d", [commandLine passDescriptor:ends[1]]]];
    [commandLine add:[@"--br=" stringByAppendingString:bridge]];
    ChildProcess *child = [[[ChildProcess alloc] initWithName:program program:program commandLine:commandLine
                                                  confinement:NULL] autorelease];
    NSString *problem = [child start];
    int tap = problem ? -1 : receive_descriptor(ends[0]);
    close(ends[0]);
    if (!problem) problem = [child reap];
    if (tap < 0) {
        fail(error, virtualization_error(VZErrorNetworkError, @"The network “%@” could not be joined. %@", bridge,
                                         problem ? problem : @"QEMU's helper gave no reason."));
    }
    return tap;
}
