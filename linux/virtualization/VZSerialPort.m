#import "internal.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/stat.h>
#import <sys/sysmacros.h>
#import <unistd.h>

// QEMU reads and writes the client's descriptors itself; no byte goes through the client's process. What that takes:
//
// - QEMU makes its output non-blocking, and its virtconsole then drops what does not fit, without a word. So O_NONBLOCK
//   is taken away again once QEMU has opened its devices (-[QemuCommandLine settleDescriptors]): writes block, and
//   nothing is lost.
// - File status flags belong to the open file description, which other processes share: the shell's terminal, the next
//   command of a pipeline. So terminals and pipes are opened anew. Regular files are not, because their offset is
//   shared as well: (echo a; client; echo b) >out.
// - A descriptor set answers an open only with a descriptor of exactly the access wanted. Sockets, pty masters, and
//   files open for both, can be had only as QEMU's standard input and output.

static BOOL is_pty_master(const struct stat *status) {
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(5, 2); // opening it again makes another pty
}

/// A descriptor of the same thing with only this access and flags of its own, or -1. A pipe whose other end has gone
/// cannot be opened to write, hence O_NONBLOCK; it is not to be waited for.
static int reopen(int descriptor, int access, int flags) {
    struct stat status;
    if (fstat(descriptor, &status) != 0 || is_pty_master(&status)) return -1;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return -1;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | (flags & O_APPEND));
}

/// One direction of a port: a descriptor for QEMU, and whether QEMU may have it in a descriptor set.
struct end {
    int descriptor, flags;
    BOOL exact;
};

static struct end end_for(int descriptor, int access) {
    struct end end = {-1, 0, YES};
    if (descriptor < 0) return end;
    end.flags = fcntl(descriptor, F_GETFL) & ~O_NONBLOCK;
    end.descriptor = reopen(descriptor, access, end.flags);
    if (end.descriptor < 0) {
        end.descriptor = fcntl(descriptor, F_DUPFD_CLOEXEC, 3);
        end.exact = (end.flags & O_ACCMODE) == access;
    }
    return end;
}

static NSString *descriptor_set(QemuCommandLine *commandLine, struct end end) {
    int number = [commandLine passDescriptor:end.descriptor flags:end.flags];
    [commandLine add:@"-add-fd" value:@"fd=%d,set=%d", number, number];
    return [NSString stringWithFormat:@"/dev/fdset/%d", number];
}

static int null_device(void) {
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/// Adds QEMU's side of a port between two of the client's descriptors; -1 stands for none.
static BOOL add_backend(QemuCommandLine *commandLine, NSString *identifier, int input, int output, NSError **error) {
    struct end from = end_for(input, O_RDONLY), to = end_for(output, O_WRONLY);
    if (from.exact && to.exact) {
        NSMutableDictionary *files = [NSMutableDictionary dictionary];
        // append: without it QEMU truncates what it is given.
        [files setObject:[NSNumber numberWithBool:YES] forKey:@"append"];
        [files setObject:output < 0 ? @"/dev/null" : descriptor_set(commandLine, to) forKey:@"out"];
        if (input >= 0) [files setObject:descriptor_set(commandLine, from) forKey:@"in"];
        // QEMU's command line cannot give this kind an input; its monitor can.
        [commandLine addEarlyCommand:@"chardev-add"
                           arguments:@{@"id" : identifier, @"backend" : @{@"type" : @"file", @"data" : files}}];
        return YES;
    }
    if (input < 0) from.descriptor = null_device();
    if (output < 0) to.descriptor = null_device();
    if ([commandLine passStandardInput:from.descriptor output:to.descriptor flags:to.flags]) {
        [commandLine add:@"-chardev" value:@"stdio,id=%@,signal=off", identifier];
        return YES;
    }
    close(from.descriptor);
    close(to.descriptor);
    return fail(error, virtualization_error(VZErrorNotSupported, @"Only one serial port can be attached to a socket or to a "
                                                                 @"file that is open for reading and writing."));
}

@implementation VZSerialPortAttachment

NOT_MADE_BY_INIT(VZSerialPortAttachment)

@end

@interface VZSerialPortAttachment (Engine)
- (BOOL)_describeTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error;
@end

@implementation VZFileHandleSerialPortAttachment

NOT_MADE_BY_INIT(VZFileHandleSerialPortAttachment)

@synthesize fileHandleForReading = _fileHandleForReading, fileHandleForWriting = _fileHandleForWriting;

- (instancetype)initWithFileHandleForReading:(NSFileHandle *)reading fileHandleForWriting:(NSFileHandle *)writing {
    self = [super init];
    if (!self) return nil;
    _fileHandleForReading = [reading retain];
    _fileHandleForWriting = [writing retain];
    return self;
}

- (void)dealloc {
    [_fileHandleForReading release];
    [_fileHandleForWriting release];
    [super dealloc];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error {
    return add_backend(commandLine, identifier, _fileHandleForReading ? [_fileHandleForReading fileDescriptor] : -1,
                       _fileHandleForWriting ? [_fileHandleForWriting fileDescriptor] : -1, error);
}

@end

@implementation VZFileSerialPortAttachment

NOT_MADE_BY_INIT(VZFileSerialPortAttachment)

@synthesize URL = _URL, append = _append;

- (instancetype)initWithURL:(NSURL *)url append:(BOOL)shouldAppend error:(NSError **)error {
    self = [super init];
    if (!self) return nil;
    int flags = O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | (shouldAppend ? O_APPEND : O_TRUNC);
    _descriptor = [url isFileURL] ? open([[url path] fileSystemRepresentation], flags, 0666) : -1;
    if (_descriptor < 0) {
        fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The file “%@” could not be opened: %s.",
                                         [url isFileURL] ? [url path] : [url absoluteString],
                                         [url isFileURL] ? strerror(errno) : "not a file URL"));
        [self release];
        return nil;
    }
    _URL = [url copy];
    _append = shouldAppend;
    return self;
}

- (void)dealloc {
    if (_descriptor >= 0) close(_descriptor);
    [_URL release];
    [super dealloc];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error {
    return add_backend(commandLine, identifier, -1, _descriptor, error);
}

@end

@implementation VZSerialPortConfiguration

NOT_MADE_BY_INIT(VZSerialPortConfiguration)

@synthesize attachment = _attachment;

- (void)dealloc {
    [_attachment release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZSerialPortConfiguration *copy = [[[self class] allocWithZone:zone] init];
    copy.attachment = _attachment;
    return copy;
}

@end

@interface VZVirtioConsoleDeviceSerialPortConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioConsoleDeviceSerialPortConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *identifier = [commandLine identifierForKind:@"serial"];
    if (!self.attachment) {
        [commandLine add:@"-chardev" value:@"null,id=%@", identifier];
    } else if (![self.attachment _describeTo:commandLine as:identifier error:error]) {
        return NO;
    }
    [commandLine add:@"-device" value:@"virtio-serial-pci,ioeventfd=off,id=%@-bus,max_ports=1", identifier];
    // Not an option: the port's backend may itself come by a command.
    [commandLine addEarlyCommand:@"device_add"
                       arguments:@{
                           @"driver" : @"virtconsole",
                           @"bus" : [identifier stringByAppendingString:@"-bus.0"],
                           @"chardev" : identifier
                       }];
    return YES;
}

@end
