#import "internal.h"
#import "efi_firmware.h"
#import "files.h"
#import "nothing_to_boot.h"
#import "qemu_program.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/stat.h>
#import <unistd.h>

@implementation VZEFIVariableStore

NOT_MADE_BY_INIT(VZEFIVariableStore)

@synthesize URL = _URL;

- (instancetype)initWithURL:(NSURL *)url {
    require_file_url(url);
    self = [super init];
    if (self) _URL = [url copy];
    return self;
}

/// The same bytes, with holes for zeros: arm64's are 64 MiB of these. 0, or what went wrong.
static int copy_sparsely(int from, int to) {
    static const char nothing[1 << 16];
    char bytes[sizeof nothing];
    off_t offset = 0;
    ssize_t length;
    if (ftruncate(to, 0) != 0) return errno;
    while ((length = pread(from, bytes, sizeof bytes, offset)) > 0) {
        if (memcmp(bytes, nothing, (size_t)length) != 0) {
            ssize_t written = pwrite(to, bytes, (size_t)length, offset);
            if (written != length) return written < 0 ? errno : ENOSPC;
        }
        offset += length;
    }
    return length < 0 || ftruncate(to, offset) != 0 ? errno : 0;
}

/// 0, or what went wrong; then there is no new file.
static int create_store(const char *path, NSString *contents, BOOL overwrite) {
    int from = open([contents fileSystemRepresentation], O_RDONLY | O_CLOEXEC);
    if (from < 0) return errno;
    int to = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_EXCL, 0666);
    BOOL made = to >= 0;
    if (!made && errno == EEXIST && overwrite) to = open(path, O_RDWR | O_CLOEXEC);
    int problem = to < 0 ? errno : copy_sparsely(from, to);
    if (!problem) problem = add_nothing_to_boot(to);
    if (problem && made) unlink(path);
    if (to >= 0) close(to);
    close(from);
    return problem;
}

- (instancetype)initCreatingVariableStoreAtURL:(NSURL *)url
                                       options:(VZEFIVariableStoreInitializationOptions)options
                                         error:(NSError **)error {
    self = [self initWithURL:url];
    if (!self) return nil;
    EfiFirmware *firmware = [EfiFirmware firmwareForArchitecture:qemu_architecture() error:error];
    int problem = 0;
    if (firmware) {
        problem = create_store([[url path] fileSystemRepresentation], firmware.variables,
                               options & VZEFIVariableStoreInitializationOptionAllowOverwrite);
    }
    if (problem) {
        fail(error, virtualization_error(problem == ENOSPC ? VZErrorOutOfDiskSpace : VZErrorInvalidVirtualMachineConfiguration,
                                         @"The EFI variable store “%@” could not be made: %s.", [url path], strerror(problem)));
    }
    if (firmware && !problem) return self;
    [self release];
    return nil;
}

- (void)dealloc {
    [_URL release];
    [super dealloc];
}

static NSError *no_secure_boot(void) {
    return virtualization_error(VZErrorNotSupported, @"Secure Boot is not supported on Linux.");
}

- (BOOL)enableSecureBootUsingDefaultPlatformKeyWithError:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)enableSecureBootWithPlatformKey:(SecCertificateRef)platformKey error:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)disableSecureBootWithError:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)resetSecureBootWithError:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)getSecureBootEnabled:(BOOL *)enabled error:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)enrollDefaultSecureBootSignaturesWithError:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (BOOL)enrollSecureBootSignatures:(id)signatures error:(NSError **)error {
    return fail(error, no_secure_boot());
}

- (id)getEnrolledSecureBootSignaturesWithError:(NSError **)error {
    fail(error, no_secure_boot());
    return nil;
}

@end
