#import "internal.h"

@implementation VZEntropyDeviceConfiguration

NOT_MADE_BY_INIT(VZEntropyDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZVirtioEntropyDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioEntropyDeviceConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *identifier = [commandLine identifierForKind:@"entropy"];
    [commandLine add:@"-object" value:@"rng-builtin,id=%@", identifier];
    [commandLine addPCIDevice:@"virtio-rng-pci,rng=%@", identifier];
    return YES;
}

@end
