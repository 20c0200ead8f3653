#import "file_server.h"
#import "file_server_filter.h"
#import "internal.h"
#import "qemu_program.h"
#import <errno.h>
#import <fcntl.h>
#import <stdlib.h>
#import <string.h>
#import <sys/socket.h>
#import <sys/stat.h>
#import <sys/un.h>
#import <unistd.h>

/// The descriptors that it gets, as the command line numbers them, after the standard ones.
enum { folder_number = 3, listener_number };

/// The folder, or -1.
static int open_folder(VZSharedDirectory *directory, NSError **error) {
    NSURL *url = directory.URL;
    int folder = open([[url path] fileSystemRepresentation], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) return folder;
    const char *why = strerror(errno);
    fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The shared directory “%@” could not be opened: %s.",
                                     [url path], why));
    return -1;
}

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

/// Several folders as one server sees them, and what it may do with them.
@interface OwnFolders : NSObject {
@public
    struct confinement confinement;
@private
    struct own_folders _folders;
}
@end

@implementation OwnFolders

- (void)dealloc {
    for (int i = 0; i < _folders.count; i++) {
        free((char *)_folders.folders[i].name);
        free((char *)_folders.folders[i].path);
    }
    free((void *)_folders.folders);
    [super dealloc];
}

/// nil with an error when one of them cannot be used.
- (id)initWithDirectories:(NSDictionary *)directories error:(NSError **)error {
    self = [super init];
    if (!self) return nil;
    struct own_folder *folders = calloc([directories count] + 1, sizeof *folders);
    _folders.folders = folders;
    BOOL readOnly = YES;
    for (NSString *name in directories) {
        VZSharedDirectory *directory = [directories objectForKey:name];
        struct stat found;
        int folder = open_folder(directory, error);
        if (folder < 0 || fstat(folder, &found) != 0) {
            [self release];
            return nil;
        }
        close(folder);
        const char *path = [[directory.URL path] fileSystemRepresentation];
        folders[_folders.count++] =
            (struct own_folder){strdup([name UTF8String]), strdup(path), directory.isReadOnly, found.st_dev, found.st_ino};
        readOnly = readOnly && directory.isReadOnly;
    }
    confinement = (struct confinement){geteuid() != 0, file_server_filter(readOnly), &_folders, folder_number};
    return self;
}

@end

static const struct confinement *confinement(BOOL readOnly) {
    static struct confinement kinds[2];
    static dispatch_once_t once;
    dispatch_once(&once, ^{
      for (int kind = 0; kind < 2; kind++) {
          kinds[kind] = (struct confinement){.own_users = geteuid() != 0, .filter = file_server_filter(kind)};
      }
    });
    return &kinds[readOnly ? 1 : 0];
}

BOOL check_folders(VZDirectoryShare *share, NSError **error) {
    NSArray *directories = [share isKindOfClass:[VZMultipleDirectoryShare class]]
                               ? [((VZMultipleDirectoryShare *)share).directories allValues]
                               : @[ ((VZSingleDirectoryShare *)share).directory ];
    for (VZSharedDirectory *directory in directories) {
        int folder = open_folder(directory, error);
        if (folder < 0) return NO;
        close(folder);
    }
    return YES;
}

ChildProcess *file_server(VZDirectoryShare *share, NSString *tag, int *connection, NSError **error) {
    OwnFolders *several = nil;
    VZSharedDirectory *only = nil;
    if ([share isKindOfClass:[VZMultipleDirectoryShare class]]) {
        NSDictionary *directories = ((VZMultipleDirectoryShare *)share).directories;
        several = [[[OwnFolders alloc] initWithDirectories:directories error:error] autorelease];
        if (!several) return nil;
    } else {
        only = ((VZSingleDirectoryShare *)share).directory;
    }
    // Several are opened where they are put together, in the place of this.
    int folder = several ? open("/dev/null", O_RDONLY | O_CLOEXEC) : open_folder(only, error);
    if (folder < 0) return nil;
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
    // Files of several file systems may have one number, by which the guest would take them for one file.
    if (several) [commandLine add:@"-o" value:@"announce_submounts"];
    if (geteuid() != 0) [commandLine add:@"--rlimit-nofile=0"]; // the limit is the highest allowed already
    NSString *name = [NSString stringWithFormat:@"The server of the shared directory “%@”", tag];
    const struct confinement *confined = several ? &several->confinement : confinement(only.isReadOnly);
    ChildProcess *server = [[[ChildProcess alloc] initWithName:name program:path commandLine:commandLine
                                                   confinement:confined] autorelease];
    [server keep:several];
    return server;
}
