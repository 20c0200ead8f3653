#import "internal.h"
#import "files.h"
#import "usb_bus.h"
#import <errno.h>
#import <fcntl.h>
#import <unistd.h>

// An image is opened when its attachment is made, so that a file that is moved or a folder that is left later does not
// matter. QEMU gets it by a descriptor set, and from a new open file description for each start: the locks by which
// machines keep off each other's images belong to that, and have to end with the QEMU.

enum { sector_size = 512, identifier_most = 20 };

// Apple's framework names no file, nor says that one is in use.
NSError *invalid_attachment(NSError *cause) {
    return virtualization_error_caused(cause, VZErrorInvalidVirtualMachineConfiguration, @"The storage device attachment is invalid.");
}

@implementation VZStorageDeviceAttachment

NOT_MADE_BY_INIT(VZStorageDeviceAttachment)

- (int)_openAndLock:(NSError **)error {
    fail(error, virtualization_error(VZErrorNotSupported, @"A disk of a server's does not come while the machine runs."));
    return -1;
}

- (NSDictionary *)_optionsFor:(int)descriptor {
    return @{};
}

- (BOOL)_addTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error {
    int descriptor = [self _openAndLock:error];
    if (descriptor < 0) return NO;
    add_file(commandLine, identifier, descriptor, [self _optionsFor:descriptor], invalid_attachment(nil));
    return YES;
}

- (BOOL)_isReadOnly {
    return NO;
}

@end

@implementation VZDiskImageStorageDeviceAttachment

NOT_MADE_BY_INIT(VZDiskImageStorageDeviceAttachment)

@synthesize URL = _URL, readOnly = _readOnly, cachingMode = _cachingMode, synchronizationMode = _synchronizationMode;

- (instancetype)initWithURL:(NSURL *)url readOnly:(BOOL)readOnly error:(NSError **)error {
    return [self _initWithURL:url
                     readOnly:readOnly
                  cachingMode:VZDiskImageCachingModeAutomatic
          synchronizationMode:VZDiskImageSynchronizationModeFull
                        error:error];
}

- (instancetype)initWithURL:(NSURL *)url
                   readOnly:(BOOL)readOnly
                cachingMode:(VZDiskImageCachingMode)cachingMode
        synchronizationMode:(VZDiskImageSynchronizationMode)synchronizationMode
                      error:(NSError **)error {
    return [self _initWithURL:url readOnly:readOnly cachingMode:cachingMode synchronizationMode:synchronizationMode error:error];
}

// Of any macOS.
- (instancetype)_initWithURL:(NSURL *)url
                    readOnly:(BOOL)readOnly
                 cachingMode:(VZDiskImageCachingMode)cachingMode
         synchronizationMode:(VZDiskImageSynchronizationMode)synchronizationMode
                       error:(NSError **)error {
    require_file_url(url);
    self = [super init];
    if (!self) return nil;
    _URL = [url copy];
    _readOnly = readOnly;
    _cachingMode = cachingMode;
    _synchronizationMode = synchronizationMode;
    _descriptor = open_regular_file(url, readOnly ? O_RDONLY : O_RDWR);
    NSError *problem = _descriptor < 0 ? [self _notOpened:errno] : [self _problemWithSize];
    if (!problem) return self;
    fail(error, problem);
    [self release];
    return nil;
}

// Of an image that is not there Apple's framework says only that the operation is not supported.
- (NSError *)_notOpened:(int)number {
    if (number == ENOENT) return posix_error(EOPNOTSUPP);
    const char *why = number == ENOTSUP ? "Not a regular file" : strerror(number);
    return virtualization_error(VZErrorInvalidDiskImage, @"The disk image “%@” could not be opened: %s.", [_URL path], why);
}

- (NSError *)_problemWithSize {
    off_t size = lseek(_descriptor, 0, SEEK_END);
    char magic[4] = "";
    BOOL sparse = pread(_descriptor, magic, sizeof magic, 0) == sizeof magic && memcmp(magic, "shdw", sizeof magic) == 0;
    NSString *problem = nil;
    if (sparse) {
        problem = @"is an ASIF image, which QEMU cannot read";
    } else if (size == 0) {
        problem = @"is empty";
    } else if (size % sector_size) {
        problem = @"has a size that is no multiple of 512 bytes";
    }
    return problem ? virtualization_error(VZErrorInvalidDiskImage, @"The disk image “%@” %@.", [_URL path], problem) : nil;
}

- (void)dealloc {
    if (_descriptor >= 0) close(_descriptor);
    [_URL release];
    [super dealloc];
}

- (int)_openAndLock:(NSError **)error {
    int descriptor = reopen_file(_descriptor, _readOnly ? O_RDONLY : O_RDWR);
    if (descriptor >= 0 && lock_file(descriptor, _readOnly)) return descriptor;
    fail(error, descriptor < 0 ? invalid_attachment(posix_error(errno)) : invalid_attachment(nil));
    if (descriptor >= 0) close(descriptor);
    return -1;
}

- (BOOL)_isReadOnly {
    return _readOnly;
}

- (NSDictionary *)_optionsFor:(int)descriptor {
    // As on a Mac, it is a wish only: not every file system can do it.
    BOOL direct = _cachingMode == VZDiskImageCachingModeUncached && fcntl(descriptor, F_SETFL, O_DIRECT) == 0;
    NSNumber *neverFlushed = [NSNumber numberWithBool:_synchronizationMode == VZDiskImageSynchronizationModeNone];
    return @{
        @"read-only" : [NSNumber numberWithBool:_readOnly],
        @"discard" : @"unmap",
        @"cache" : @{@"direct" : [NSNumber numberWithBool:direct], @"no-flush" : neverFlushed},
    };
}

@end

@implementation VZStorageDeviceConfiguration

NOT_MADE_BY_INIT(VZStorageDeviceConfiguration)

@synthesize attachment = _attachment;

- (id)_initWithAttachment:(VZStorageDeviceAttachment *)attachment {
    self = [super init];
    if (self) _attachment = [attachment retain];
    return self;
}

- (void)dealloc {
    [_attachment release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] _initWithAttachment:_attachment];
}

- (BOOL)_validateWithError:(NSError **)error {
    if (_attachment) return YES;
    return fail(error, invalid_attachment(nil));
}

- (NSString *)_identityInSavedState {
    return [_attachment _isReadOnly] ? @"read-only" : @"";
}

/// Adds the attachment. Returns the device's options that all kinds have. The guest, and firmware that looks for
/// something to start, are to find the disks in the order in which they are added.
- (NSString *)_describeAttachmentTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *identifier = [commandLine identifierForKind:@"storage"];
    if (![_attachment _addTo:commandLine as:identifier error:error]) return nil;
    // Of equal index are two devices only if one is the kernel of -kernel, which has 0.
    int index = [[identifier substringFromIndex:[@"storage" length]] intValue] + 1;
    return [NSString stringWithFormat:@"drive=%@,bootindex=%d", identifier, index];
}

@end

@interface VZVirtioBlockDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioBlockDeviceConfiguration

- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment {
    self = [super _initWithAttachment:attachment];
    if (self) _blockDeviceIdentifier = @"";
    return self;
}

@synthesize blockDeviceIdentifier = _blockDeviceIdentifier;

- (void)dealloc {
    [_blockDeviceIdentifier release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZVirtioBlockDeviceConfiguration *copy = [super copyWithZone:zone];
    [copy->_blockDeviceIdentifier autorelease]; // not by a method that macOS 11 does not have
    copy->_blockDeviceIdentifier = [_blockDeviceIdentifier copy];
    return copy;
}

static BOOL validate_identifier(NSString *identifier, NSError **error) {
    NSString *problem = nil;
    if (![identifier canBeConvertedToEncoding:NSASCIIStringEncoding]) {
        problem = @"is not ASCII";
    } else if ([identifier length] > identifier_most) {
        problem = @"is longer than 20 bytes";
    }
    return !problem || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                                        @"The block device identifier “%@” %@.", identifier, problem));
}

+ (BOOL)validateBlockDeviceIdentifier:(NSString *)identifier error:(NSError **)error {
    return validate_identifier(identifier, error);
}

- (BOOL)_validateWithError:(NSError **)error {
    return [super _validateWithError:error] && validate_identifier(_blockDeviceIdentifier, error);
}

- (NSString *)_identityInSavedState {
    return [[super _identityInSavedState] stringByAppendingFormat:@" %@", _blockDeviceIdentifier];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *options = [self _describeAttachmentTo:commandLine error:error];
    if (!options) return NO;
    NSString *serial = [_blockDeviceIdentifier length] ? @",serial=" : @"";
    [commandLine addPCIDevice:@"virtio-blk-pci,werror=report,%@%@%@", options, serial, qemu_quoted(_blockDeviceIdentifier)];
    return YES;
}

@end

@interface VZNVMExpressControllerDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZNVMExpressControllerDeviceConfiguration

- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment {
    return [super _initWithAttachment:attachment];
}

- (NSString *)_unsavablePart {
    return @"NVM Express controllers"; // QEMU's cannot be migrated
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *options = [self _describeAttachmentTo:commandLine error:error];
    if (!options) return NO;
    // Each needs a serial number, and one of its own.
    [commandLine addPCIDevice:@"nvme,serial=%@,%@", [commandLine identifierForKind:@"nvme"], options];
    return YES;
}

@end

@interface VZUSBMassStorageDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZUSBMassStorageDeviceConfiguration

@synthesize uuid = _uuid;

- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment {
    self = [super _initWithAttachment:attachment];
    if (self) _uuid = [[NSUUID alloc] init];
    return self;
}

- (void)dealloc {
    [_uuid release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZUSBMassStorageDeviceConfiguration *copy = [super copyWithZone:zone];
    copy.uuid = _uuid;
    return copy;
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *options = [self _describeAttachmentTo:commandLine error:error];
    if (!options) return NO;
    [commandLine add:@"-device" value:@"usb-storage,werror=report,bus=%@,%@", usb_bus(commandLine), options];
    return YES;
}

@end
