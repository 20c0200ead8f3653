#import "internal.h"
#import "efi_firmware.h"
#import "files.h"
#import <errno.h>
#import <fcntl.h>
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
    int store = open_regular_file(_variableStore.URL, O_RDWR);
    NSError *cause = store < 0 ? posix_error(errno) : nil;
    NSString *reason = store < 0 ? @"Failed to open the variable store." : nil;
    if (store >= 0 && lseek(store, 0, SEEK_END) != size_of([firmware.variables fileSystemRepresentation])) {
        reason = @"The variable store is invalid.";
    } else if (store >= 0 && !lock_file(store, NO)) {
        cause = virtualization_error(VZErrorEFIVariableInaccessible, @"The variable store is inaccessible.");
        reason = @"Failed to open the variable store.";
    }
    if (reason) {
        if (store >= 0) close(store);
        NSError *invalid = virtualization_error_caused(cause, VZErrorInvalidVirtualMachineConfiguration, reason);
        return fail(error, invalid_boot_loader(invalid));
    }
    [commandLine add:@"-blockdev" value:@"driver=raw,node-name=efi-code,read-only=on,file.driver=file,file.filename=%@", firmware.code];
    add_file(commandLine, @"efi-variables", store, @{}, invalid_boot_loader(nil));
    [commandLine add:@"-machine" value:@"pflash0=efi-code,pflash1=efi-variables"];
    return YES;
}

@end
