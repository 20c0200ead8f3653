#import "internal.h"
#import "usb_bus.h"
#import "usb_plug.h"

@implementation VZUSBControllerConfiguration

NOT_MADE_BY_INIT(VZUSBControllerConfiguration)

- (id)_init {
    self = [super init];
    if (self) _usbDevices = [[NSArray alloc] init];
    return self;
}

- (void)dealloc {
    [_usbDevices release];
    [super dealloc];
}

@synthesize usbDevices = _usbDevices;

- (id)copyWithZone:(NSZone *)zone {
    VZUSBControllerConfiguration *copy = [[[self class] allocWithZone:zone] init];
    copy.usbDevices = [[[NSArray alloc] initWithArray:_usbDevices copyItems:YES] autorelease];
    return copy;
}

@end

@interface VZXHCIControllerConfiguration (Engine) <MachinePart>
@end

@implementation VZXHCIControllerConfiguration

- (instancetype)init {
    return [super _init];
}

- (BOOL)_validateWithError:(NSError **)error {
    for (id device in self.usbDevices) {
        if (![device isKindOfClass:[VZUSBMassStorageDeviceConfiguration class]]) {
            return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"A %@ cannot be one of “usbDevices”.",
                                                    NSStringFromClass([device class])));
        }
        if (![device _validateWithError:error]) return NO;
    }
    return YES;
}

// The running machine's controller does it.
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    return YES;
}

@end

@implementation VZUSBController

NOT_MADE_BY_INIT(VZUSBController)

- (id)_initWithMachine:(MachineLink *)machine configuration:(VZUSBControllerConfiguration *)configuration {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _configurations = [configuration.usbDevices copy];
    _devices = [[NSMutableArray alloc] init];
    _moving = [[NSMutableArray alloc] init];
    return self;
}

- (void)dealloc {
    [_machine release];
    [_identifier release];
    [_configurations release];
    [_devices release];
    [_moving release];
    [super dealloc];
}

- (NSArray *)usbDevices {
    dispatch_assert_queue(_machine.queue);
    return [[_devices copy] autorelease];
}

- (id<VZUSBControllerDelegate>)delegate {
    dispatch_assert_queue(_machine.queue);
    return _delegate;
}

- (void)setDelegate:(id<VZUSBControllerDelegate>)delegate {
    dispatch_assert_queue(_machine.queue);
    _delegate = delegate;
}

#pragma mark The machine's start and end

- (NSString *)_bus {
    return [_identifier stringByAppendingString:@".0"];
}

- (NSString *)_newNameInQemu {
    return [NSString stringWithFormat:@"%@-disk%lu", _identifier, (unsigned long)_plugs++];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [_identifier release];
    _identifier = [add_usb_controller(commandLine) copy];
    for (VZUSBMassStorageDeviceConfiguration *configuration in _configurations) {
        VZUSBMassStorageDevice *device = [[[VZUSBMassStorageDevice alloc] initWithConfiguration:configuration] autorelease];
        UsbPlug *plug = [device _makePlug:[self _newNameInQemu] error:error];
        if (!plug) return NO;
        [plug describeTo:commandLine bus:[self _bus]];
        [device _setPlug:plug];
        [_moving addObject:device];
    }
    return YES;
}

- (void)_machineDidStart {
    for (VZUSBMassStorageDevice *device in [[_moving copy] autorelease]) [self _arrived:device];
}

- (void)_machineDidStop {
    for (VZUSBMassStorageDevice *device in [[_moving copy] autorelease]) [[device _plug] wasLost];
    for (VZUSBMassStorageDevice *device in [_devices arrayByAddingObjectsFromArray:_moving]) [self _left:device];
}

#pragma mark What the client asks

/// A device is on its way in or out.
- (BOOL)_isMoving:(VZUSBMassStorageDevice *)device {
    return [_moving indexOfObjectIdenticalTo:device] != NSNotFound;
}

- (void)_arrived:(VZUSBMassStorageDevice *)device {
    [_devices addObject:device];
    [device _setController:self];
    [_moving removeObjectIdenticalTo:device];
}

- (void)_left:(VZUSBMassStorageDevice *)device {
    [[device retain] autorelease];
    [device _setController:nil];
    [device _setPlug:nil];
    [_devices removeObjectIdenticalTo:device];
    [_moving removeObjectIdenticalTo:device];
}

/// Calls the handler on the queue, after the caller's own work there.
- (void)_call:(void (^)(NSError *))handler withError:(NSError *)error {
    if (!handler) return;
    void (^copy)(NSError *) = Block_copy(handler);
    dispatch_async(_machine.queue, ^{
      copy(error);
    });
    Block_release(copy);
}

/// QEMU, while a guest is there that can find or miss a device.
- (QemuProcess *)_process:(NSError **)error {
    VZVirtualMachine *machine = [[_machine copyMachine] autorelease];
    QemuProcess *process = [machine _runningProcess];
    if (!process) {
        fail(error, virtualization_error(VZErrorInvalidVirtualMachineState,
                                         @"Devices can be attached and detached while the virtual machine runs or is paused."));
    }
    return process;
}

- (NSError *)_problemWithAttaching:(VZUSBMassStorageDevice *)device {
    if (![device isKindOfClass:[VZUSBMassStorageDevice class]]) {
        return virtualization_error(VZErrorDeviceInitializationFailure, @"A %@ cannot be attached on Linux.",
                                    NSStringFromClass([device class]));
    }
    return [device _plug] ? virtualization_error(VZErrorDeviceAlreadyAttached, @"The device is attached to a USB controller.") : nil;
}

- (void)attachDevice:(id<VZUSBDevice>)usbDevice completionHandler:(void (^)(NSError *))handler {
    dispatch_assert_queue(_machine.queue);
    VZUSBMassStorageDevice *device = (VZUSBMassStorageDevice *)usbDevice;
    NSError *error = [self _problemWithAttaching:device];
    QemuProcess *process = error ? nil : [self _process:&error];
    NSError *cause = nil;
    UsbPlug *plug = process ? [device _makePlug:[self _newNameInQemu] error:&cause] : nil;
    if (cause) error = virtualization_error_caused(cause, VZErrorDeviceInitializationFailure, @"The device could not be initialized.");
    if (error) return [self _call:handler withError:error];
    [device _setPlug:plug];
    [_moving addObject:device];
    [plug plugInto:[self _bus]
                of:process
             reply:^(NSString *problem) {
               if (problem) {
                   [self _left:device];
               } else {
                   [self _arrived:device];
               }
               [self _call:handler withError:problem ? virtualization_error(VZErrorDeviceInitializationFailure, @"%@", problem) : nil];
             }];
}

- (void)detachDevice:(id<VZUSBDevice>)usbDevice completionHandler:(void (^)(NSError *))handler {
    dispatch_assert_queue(_machine.queue);
    VZUSBMassStorageDevice *device = (VZUSBMassStorageDevice *)usbDevice;
    NSError *error = nil;
    if ([_devices indexOfObjectIdenticalTo:device] == NSNotFound || [self _isMoving:device]) {
        error = virtualization_error(VZErrorDeviceNotFound, @"The device is not attached to the USB controller.");
    }
    QemuProcess *process = error ? nil : [self _process:&error];
    if (error) return [self _call:handler withError:error];
    [_moving addObject:device];
    [[device _plug] pullFrom:process
                       reply:^(NSString *problem) {
                         [_moving removeObjectIdenticalTo:device];
                         if (!problem) [self _left:device];
                         [self _call:handler withError:problem ? virtualization_error(VZErrorInternal, @"%@", problem) : nil];
                       }];
}

#pragma mark What QEMU tells

- (void)_deviceWasDeleted:(NSString *)identifier {
    for (VZUSBMassStorageDevice *device in [[_moving copy] autorelease]) {
        if ([[device _plug].identifier isEqualToString:identifier]) [[device _plug] wasDeleted];
    }
}

@end

@implementation VZXHCIController

NOT_MADE_BY_INIT(VZXHCIController)

@end
