#import "internal.h"
#import "a_mac.h"
#import "console_pump.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/ioctl.h>
#import <sys/stat.h>
#import <sys/sysmacros.h>
#import <unistd.h>

// What the guest prints goes through a pump (console_pump.m) to all that may have no room. Files are QEMU's own to write
// and, like pipes and terminals, to read. What that takes:
//
// - QEMU makes its output non-blocking, and its virtconsole then drops what does not fit, without a word. So O_NONBLOCK
//   is taken away again once QEMU has opened its devices (-[QemuCommandLine settleDescriptors]): writes block, and
//   nothing is lost. The pump sees to it that they do not block for long.
// - File status flags belong to the open file description, which other processes share: the shell's terminal, the next
//   command of a pipeline. So terminals and pipes are opened anew. Regular files are not, because their offset is
//   shared as well: (echo a; client; echo b) >out.
// - A descriptor set answers an open only with a descriptor of exactly the access wanted. What is open for reading and
//   writing can serve as a port's input only as QEMU's standard input, or through the pump where it is the output too.

static BOOL is_pty_master(const struct stat *status) {
    return S_ISCHR(status->st_mode) && status->st_rdev == makedev(5, 2); // opening it again makes another pty
}

/// The number of a pty by its master, or -1.
static int pty_number(int descriptor) {
    struct stat status;
    unsigned number;
    if (fstat(descriptor, &status) != 0 || !is_pty_master(&status)) return -1;
    return ioctl(descriptor, TIOCGPTN, &number) == 0 ? (int)number : -1;
}

static BOOL is_socket(int descriptor) {
    struct stat status;
    return descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

/// Whether the two are one socket, pty or file, open for reading and writing.
static BOOL is_one_thing(int input, int output) {
    if (input < 0 || output < 0 || (fcntl(output, F_GETFL) & O_ACCMODE) != O_RDWR) return NO;
    if (input == output) return YES;
    struct stat from, to;
    if (fstat(input, &from) != 0 || fstat(output, &to) != 0) return NO;
    if (S_ISSOCK(from.st_mode)) return S_ISSOCK(to.st_mode) && from.st_ino == to.st_ino;
    return pty_number(input) >= 0 && pty_number(input) == pty_number(output);
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
    end.flags = fcntl(descriptor, F_GETFL);
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

/// Whether who takes it may let it wait.
static BOOL can_be_full(int output) {
    struct stat status;
    if (output < 0 || fstat(output, &status) != 0 || S_ISREG(status.st_mode)) return NO;
    return !(S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3)); // /dev/null
}

/// QEMU's end of a new pipe; the pump has the other.
static struct end pumped_output(QemuCommandLine *commandLine, struct end to) {
    int ends[2];
    if (to.descriptor < 0) return to;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        [commandLine lacksDescriptor];
        return to;
    }
    [commandLine.consolePump addOutletFrom:ends[0] to:to.descriptor];
    return (struct end){ends[1], O_WRONLY, YES};
}

static struct end pumped_input(QemuCommandLine *commandLine, int input) {
    int ends[2];
    int copy = fcntl(input, F_DUPFD_CLOEXEC, 3);
    if (copy < 0 || pipe2(ends, O_CLOEXEC) != 0) {
        [commandLine lacksDescriptor];
        return (struct end){copy, O_RDONLY, YES};
    }
    fcntl(ends[1], F_SETPIPE_SZ, 4096); // what is typed is not to be taken long before the guest does
    [commandLine.consolePump addInletFrom:copy to:ends[1]];
    return (struct end){ends[0], O_RDONLY, YES};
}

static int null_device(void) {
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/// Adds QEMU's side of a port between two of the client's descriptors; -1 stands for none.
static BOOL add_backend(QemuCommandLine *commandLine, NSString *identifier, int input, int output, NSError **error) {
    // A socket cannot be opened anew, and QEMU would make the client's own non-blocking.
    BOOL pumped = is_socket(input) || (can_be_full(output) && is_one_thing(input, output));
    struct end from = pumped ? pumped_input(commandLine, input) : end_for(input, O_RDONLY), to = end_for(output, O_WRONLY);
    if (can_be_full(output)) to = pumped_output(commandLine, to);
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
    return fail(error, virtualization_error(VZErrorNotSupported, @"Only one serial port can use what is open for reading and writing "
                                                                 @"in one direction."));
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
    int reading = _fileHandleForReading ? [_fileHandleForReading fileDescriptor] : -1;
    int writing = _fileHandleForWriting ? [_fileHandleForWriting fileDescriptor] : -1;
    take_descriptor(reading);
    take_descriptor(writing);
    return add_backend(commandLine, identifier, reading, writing, error);
}

@end

@implementation VZFileSerialPortAttachment

NOT_MADE_BY_INIT(VZFileSerialPortAttachment)

@synthesize URL = _URL, append = _append;

- (instancetype)initWithURL:(NSURL *)url append:(BOOL)shouldAppend error:(NSError **)error {
    self = [super init];
    if (!self) return nil;
    require_file_url(url);
    int flags = O_WRONLY | O_CREAT | O_NOCTTY | O_NONBLOCK | O_CLOEXEC | (shouldAppend ? O_APPEND : O_TRUNC);
    _descriptor = open([[url path] fileSystemRepresentation], flags, 0666);
    if (_descriptor < 0) {
        const char *why = strerror(errno);
        fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The file “%@” could not be opened: %s.", [url path], why));
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
    [commandLine addPCIDevice:@"virtio-serial-pci,ioeventfd=off,id=%@-bus,max_ports=1", identifier];
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
