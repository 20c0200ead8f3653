#import "internal.h"
#import "a_mac.h"
#import "accelerator.h"
#import "qemu_program.h"
#import "fill_randomly.h"

@implementation VZPlatformConfiguration

NOT_MADE_BY_INIT(VZPlatformConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZGenericPlatformConfiguration (Engine) <MachinePart>
@end

@implementation VZGenericPlatformConfiguration

@synthesize machineIdentifier = _machineIdentifier, nestedVirtualizationEnabled = _nestedVirtualizationEnabled;

- (instancetype)init {
    self = [super init];
    if (self) _machineIdentifier = [[VZGenericMachineIdentifier alloc] init];
    return self;
}

- (void)dealloc {
    [_machineIdentifier release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZGenericPlatformConfiguration *copy = [super copyWithZone:zone];
    // Not by methods that macOS 12 does not have.
    [copy->_machineIdentifier autorelease];
    copy->_machineIdentifier = [_machineIdentifier copy];
    copy->_nestedVirtualizationEnabled = _nestedVirtualizationEnabled;
    return copy;
}

static BOOL can_use_kvm(void) {
    return qemu_architecture_is_native() && kvm_works();
}

+ (BOOL)isNestedVirtualizationSupported {
    return guests_can_have_guests() && (!can_use_kvm() || kvm_can_nest());
}

- (BOOL)_validateWithError:(NSError **)error {
    if (!_nestedVirtualizationEnabled || [[self class] isNestedVirtualizationSupported]) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                            @"Nested virtualization is not supported on this computer."));
}

static NSString *uuid_text(const uint8_t *bytes) {
    NSMutableString *text = [NSMutableString string];
    for (int i = 0; i < 16; i++) [text appendFormat:i == 4 || i == 6 || i == 8 || i == 10 ? @"-%02x" : @"%02x", bytes[i]];
    return text;
}

- (NSString *)_identityInSavedState {
    NSString *identity = uuid_text([_machineIdentifier.dataRepresentation bytes]);
    return _nestedVirtualizationEnabled ? [identity stringByAppendingString:@" nested"] : identity;
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    BOOL kvm = can_use_kvm();
    [commandLine add:@"-accel" value:@"%@", kvm ? @"kvm" : @"tcg,thread=multi"];
    if ([commandLine.architecture isEqualToString:@"aarch64"]) {
        [commandLine add:@"-machine" value:@"virt,gic-version=max,virtualization=%@,dump-guest-core=off,mem-merge=off",
                                          _nestedVirtualizationEnabled ? @"on" : @"off"];
        // Pointer authentication by the book costs an emulated guest half of its speed.
        [commandLine add:@"-cpu" value:@"%@", kvm ? @"max" : @"max,pauth-impdef=on"];
    } else {
        [commandLine add:@"-machine" value:@"q35,vmport=off,smm=off,sata=off,smbus=off,i8042=off,dump-guest-core=off,mem-merge=off"];
        // Five-level page tables are of no use to a guest that fits this host, and its kernel starts slower with them.
        [commandLine add:@"-cpu" value:@"max,la57=off%@", _nestedVirtualizationEnabled ? @"" : @",svm=off,vmx=off"];
    }
    if (_machineIdentifier) {
        [commandLine add:@"-uuid" value:@"%@", uuid_text([_machineIdentifier.dataRepresentation bytes])];
    }
    return YES;
}

@end

enum { identifier_length = 16 };

@implementation VZGenericMachineIdentifier

@synthesize dataRepresentation = _dataRepresentation;

- (instancetype)init {
    uint8_t bytes[identifier_length];
    fill_randomly(bytes, sizeof bytes);
    return [self initWithDataRepresentation:[NSData dataWithBytes:bytes length:sizeof bytes]];
}

- (instancetype)initWithDataRepresentation:(NSData *)dataRepresentation {
    self = [super init];
    if (!self) return nil;
    if ([dataRepresentation length] != identifier_length) {
        [self release];
        return nil;
    }
    _dataRepresentation = [dataRepresentation copy];
    return self;
}

- (void)dealloc {
    [_dataRepresentation release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    return [self retain];
}

- (BOOL)isEqual:(id)other {
    return [other isKindOfClass:[VZGenericMachineIdentifier class]] &&
           [_dataRepresentation isEqual:((VZGenericMachineIdentifier *)other)->_dataRepresentation];
}

- (NSUInteger)hash {
    return [_dataRepresentation hash];
}

@end
