#import "internal.h"

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
    default: return @"Internal Virtualization error.";
    }
}

NSError *virtualization_error(VZErrorCode code, NSString *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    NSString *reason = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
    va_end(arguments);
    NSString *failure = sentence(code);
    // Apple's error has the first two, and Foundation joins them for localizedDescription; GNUstep's does not.
    NSDictionary *information = @{
        @"NSLocalizedFailure" : failure,
        NSLocalizedFailureReasonErrorKey : reason,
        NSLocalizedDescriptionKey : [NSString stringWithFormat:@"%@ %@", failure, reason],
    };
    return [NSError errorWithDomain:VZErrorDomain code:code userInfo:information];
}

BOOL fail(NSError **error, NSError *what) {
    if (error) *error = what;
    return NO;
}

void refuse_to_make(Class class) {
    [NSException raise:NSInvalidArgumentException format:@"%@ is not made by +new or -init", NSStringFromClass(class)];
}
