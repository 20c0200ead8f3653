#import "internal.h"
#import <errno.h>
#import <fcntl.h>
#import <unistd.h>
#import <sys/stat.h>

@implementation VZBootLoader

NOT_MADE_BY_INIT(VZBootLoader)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZLinuxBootLoader (Engine) <MachinePart>
@end

@implementation VZLinuxBootLoader

@synthesize kernelURL = _kernelURL, commandLine = _commandLine, initialRamdiskURL = _initialRamdiskURL;

- (instancetype)initWithKernelURL:(NSURL *)kernelURL {
    self = [super init];
    if (!self) return nil;
    require_file_url(kernelURL);
    _kernelURL = [kernelURL copy];
    _commandLine = @"";
    return self;
}

- (void)dealloc {
    [_kernelURL release];
    [_commandLine release];
    [_initialRamdiskURL release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZLinuxBootLoader *copy = [[[self class] allocWithZone:zone] initWithKernelURL:_kernelURL];
    copy.commandLine = _commandLine;
    copy.initialRamdiskURL = _initialRamdiskURL;
    return copy;
}

- (BOOL)_validateWithError:(NSError **)error {
    if (_kernelURL) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The kernel is not set."));
}

NSError *invalid_boot_loader(NSError *cause) {
    return virtualization_error_caused(cause, VZErrorInvalidVirtualMachineConfiguration, @"The boot loader is invalid.");
}

static BOOL check_file(NSURL *url, NSString *what, NSError **error) {
    int file = [url isFileURL] ? open([[url path] fileSystemRepresentation], O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    int problem = [url isFileURL] ? errno : EINVAL;
    struct stat status;
    if (file >= 0) {
        problem = fstat(file, &status) == 0 && S_ISDIR(status.st_mode) ? EISDIR : 0;
        close(file);
    }
    if (!problem) return YES;
    NSString *reason = [NSString stringWithFormat:@"Failed to open the %@ file.", what];
    NSError *cause = virtualization_error_caused(posix_error(problem), VZErrorInvalidVirtualMachineConfiguration, reason);
    return fail(error, invalid_boot_loader(cause));
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    if (!check_file(_kernelURL, @"kernel", error)) return NO;
    [commandLine add:@"-kernel"];
    [commandLine add:[_kernelURL path]];
    [commandLine add:@"-append"];
    [commandLine add:_commandLine ? _commandLine : @""];
    if (!_initialRamdiskURL) return YES;
    if (!check_file(_initialRamdiskURL, @"initial ramdisk", error)) return NO;
    [commandLine add:@"-initrd"];
    [commandLine add:[_initialRamdiskURL path]];
    return YES;
}

@end
