#import "internal.h"
#import "efi_firmware.h"
#import "files.h"
#import <fcntl.h>
#import <sys/file.h>
#import <sys/stat.h>
#import <unistd.h>

@interface VZEFIBootLoader (Engine) <MachinePart>
@end

@implementation VZEFIBootLoader

@synthesize variableStore = _variableStore;

- (instancetype)init {
    return [super init];
}

- (void)dealloc {
    [_variableStore release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZEFIBootLoader *copy = [super copyWithZone:zone];
    copy.variableStore = _variableStore;
    return copy;
}

- (BOOL)_validateWithError:(NSError **)error {
    if (_variableStore) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The EFI variable store is not set."));
}

static off_t size_of(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 ? status.st_size : -1;
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    EfiFirmware *firmware = [EfiFirmware firmwareForArchitecture:commandLine.architecture error:error];
    if (!firmware) return NO;
    NSURL *url = _variableStore.URL;
    NSString *description = [NSString stringWithFormat:@"EFI variable store “%@”", url_text(url)], *problem = nil;
    int store = open_regular_file(url, O_RDWR, &problem);
    if (store >= 0 && lseek(store, 0, SEEK_END) != size_of([firmware.variables fileSystemRepresentation])) {
        problem = [NSString stringWithFormat:@"is none, or not one for %@", commandLine.architecture];
    } else if (store >= 0 && flock(store, LOCK_EX | LOCK_NB) != 0) {
        // QEMU locks disks, but not flash. This lock is QEMU's as well, since the open file description is.
        problem = @"is in use by another virtual machine";
    }
    if (problem) {
        if (store >= 0) close(store);
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The %@ %@.", description, problem));
    }
    [commandLine add:@"-blockdev" value:@"driver=raw,node-name=efi-code,read-only=on,file.driver=file,file.filename=%@", firmware.code];
    add_file(commandLine, @"efi-variables", store, @"read-only=off", description);
    [commandLine add:@"-machine" value:@"pflash0=efi-code,pflash1=efi-variables"];
    return YES;
}

@end
