#import "internal.h"
#import <errno.h>
#import <string.h>

NSString *const VZErrorDomain = @"VZErrorDomain";

static NSString *sentence(VZErrorCode code) {
    switch (code) {
    case VZErrorInvalidVirtualMachineConfiguration: return @"Invalid virtual machine configuration.";
    case VZErrorInvalidVirtualMachineState: return @"Invalid virtual machine state.";
    case VZErrorInvalidVirtualMachineStateTransition: return @"Invalid virtual machine state transition.";
    case VZErrorInvalidDiskImage: return @"Invalid disk image.";
    case VZErrorNetworkError: return @"Network error.";
    case VZErrorOutOfDiskSpace: return @"Out of disk space.";
    case VZErrorNotSupported: return @"Operation not supported.";
    case VZErrorSave: return @"An error occurred while saving the virtual machine.";
    case VZErrorRestore: return @"An error occurred while restoring the virtual machine.";
    case VZErrorNetworkBlockDeviceNegotiationFailed: return @"Network block device negotiation failed.";
    case VZErrorNetworkBlockDeviceDisconnected: return @"Network block device disconnected.";
    case VZErrorUSBControllerNotFound: return @"USB controller not found.";
    case VZErrorDeviceAlreadyAttached: return @"Device already attached.";
    case VZErrorDeviceInitializationFailure: return @"Device initialization failure.";
    case VZErrorDeviceNotFound: return @"Device not found.";
    case VZErrorEFIVariableInaccessible: return @"EFI variable inaccessible.";
    default: return @"Internal Virtualization error.";
    }
}

NSError *virtualization_error(VZErrorCode code, NSString *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    NSString *reason = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
    va_end(arguments);
    return virtualization_error_caused(nil, code, reason);
}

NSError *virtualization_error_caused(NSError *cause, VZErrorCode code, NSString *reason) {
    NSString *failure = sentence(code);
    // Apple's error has the first two, and Foundation joins them for localizedDescription; GNUstep's does not. Of these
    // two the reason stands alone there.
    BOOL alone = code == VZErrorSave || code == VZErrorRestore;
    NSMutableDictionary *information = [NSMutableDictionary dictionary];
    [information setObject:failure forKey:@"NSLocalizedFailure"];
    [information setObject:reason forKey:NSLocalizedFailureReasonErrorKey];
    [information setObject:alone ? reason : [NSString stringWithFormat:@"%@ %@", failure, reason] forKey:NSLocalizedDescriptionKey];
    if (cause) {
        [information setObject:cause forKey:NSUnderlyingErrorKey]; // for clients that are compiled here
        [information setObject:cause forKey:@"NSUnderlyingError"]; // Apple's value of that, which GNUstep's is not
    }
    return [NSError errorWithDomain:VZErrorDomain code:code userInfo:information];
}

/// The numbers of these differ; those that are met besides them are the same on both systems.
static int number_on_a_mac(int number) {
    switch (number) {
    case EAGAIN: return 35;
    case EOPNOTSUPP: return 45;
    case ECONNRESET: return 54;
    case ELOOP: return 62;
    case ENAMETOOLONG: return 63;
    default: return number;
    }
}

NSError *posix_error(int number) {
    NSString *reason = [NSString stringWithUTF8String:strerror(number)];
    NSDictionary *information = @{
        NSLocalizedFailureReasonErrorKey : reason,
        NSLocalizedDescriptionKey : [@"The operation couldn’t be completed. " stringByAppendingString:reason],
    };
    return [NSError errorWithDomain:NSPOSIXErrorDomain code:number_on_a_mac(number) userInfo:information];
}

BOOL fail(NSError **error, NSError *what) {
    if (error) *error = what;
    return NO;
}

void require_file_url(NSURL *url) {
    if (![url isFileURL]) [NSException raise:NSInvalidArgumentException format:@"“%@” is not a file URL", url];
}

void refuse_to_make(Class class) {
    [NSException raise:NSInvalidArgumentException format:@"%@ is not made by +new or -init", NSStringFromClass(class)];
}
