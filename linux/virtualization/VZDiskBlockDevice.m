#import "internal.h"
#import "files.h"
#import <errno.h>
#import <fcntl.h>
#import <sys/stat.h>
#import <unistd.h>

@implementation VZDiskBlockDeviceStorageDeviceAttachment

NOT_MADE_BY_INIT(VZDiskBlockDeviceStorageDeviceAttachment)

@synthesize fileHandle = _fileHandle, readOnly = _readOnly, synchronizationMode = _synchronizationMode;

static NSString *problem_with(int descriptor, BOOL readOnly) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return [NSString stringWithUTF8String:strerror(errno)];
    if (!S_ISBLK(status.st_mode)) return @"it is not a block device";
    int access = fcntl(descriptor, F_GETFL) & O_ACCMODE;
    return access == O_RDWR || (readOnly && access == O_RDONLY) ? nil : @"its file handle does not give the access that it needs";
}

- (instancetype)initWithFileHandle:(NSFileHandle *)fileHandle
                          readOnly:(BOOL)readOnly
               synchronizationMode:(VZDiskSynchronizationMode)synchronizationMode
                             error:(NSError **)error {
    self = [super init];
    if (!self) return nil;
    NSString *problem = problem_with([fileHandle fileDescriptor], readOnly);
    if (problem) {
        fail(error, virtualization_error(VZErrorInvalidDiskImage, @"The disk could not be used: %@.", problem));
        [self release];
        return nil;
    }
    _fileHandle = [fileHandle retain];
    _readOnly = readOnly;
    _synchronizationMode = synchronizationMode;
    return self;
}

- (void)dealloc {
    [_fileHandle release];
    [super dealloc];
}

- (BOOL)_isReadOnly {
    return _readOnly;
}

// As an image; but who has been handed the device may not be allowed to open it anew.
- (int)_openAndLock:(NSError **)error {
    int own = [_fileHandle fileDescriptor];
    int descriptor = reopen_file(own, _readOnly ? O_RDONLY : O_RDWR);
    if (descriptor < 0) descriptor = fcntl(own, F_DUPFD_CLOEXEC, 0);
    if (descriptor >= 0 && lock_file(descriptor, _readOnly)) return descriptor;
    fail(error, descriptor < 0 ? invalid_attachment(posix_error(errno)) : invalid_attachment(nil));
    if (descriptor >= 0) close(descriptor);
    return -1;
}

- (NSDictionary *)_optionsFor:(int)descriptor {
    NSNumber *neverFlushed = [NSNumber numberWithBool:_synchronizationMode == VZDiskSynchronizationModeNone];
    return @{
        @"read-only" : [NSNumber numberWithBool:_readOnly],
        @"discard" : @"unmap",
        @"cache" : @{@"direct" : [NSNumber numberWithBool:NO], @"no-flush" : neverFlushed},
        @"file" : @{@"driver" : @"host_device"},
    };
}

@end
