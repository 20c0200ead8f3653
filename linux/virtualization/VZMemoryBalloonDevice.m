#import "internal.h"

@implementation VZMemoryBalloonDeviceConfiguration

NOT_MADE_BY_INIT(VZMemoryBalloonDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZVirtioTraditionalMemoryBalloonDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioTraditionalMemoryBalloonDeviceConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [commandLine addPCIDevice:@"virtio-balloon-pci,id=%@", [commandLine identifierForKind:@"balloon"]];
    return YES;
}

@end

@implementation VZMemoryBalloonDevice

NOT_MADE_BY_INIT(VZMemoryBalloonDevice)

@end

@implementation VZVirtioTraditionalMemoryBalloonDevice

NOT_MADE_BY_INIT(VZVirtioTraditionalMemoryBalloonDevice)

- (id)_initWithMachine:(MachineLink *)machine memorySize:(uint64_t)size {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _target = size;
    return self;
}

- (void)dealloc {
    [_machine release];
    [super dealloc];
}

- (uint64_t)targetVirtualMachineMemorySize {
    dispatch_assert_queue(_machine.queue);
    return _target;
}

- (void)_machineDidStart {
    VZVirtualMachine *machine = [_machine copyMachine];
    [machine _execute:@"balloon" arguments:@{@"value" : [NSNumber numberWithUnsignedLongLong:_target]}];
    [machine release];
}

- (void)setTargetVirtualMachineMemorySize:(uint64_t)size {
    dispatch_assert_queue(_machine.queue);
    _target = MAX(size, [VZVirtualMachineConfiguration minimumAllowedMemorySize]) >> 20 << 20;
    [self _machineDidStart];
}

@end
