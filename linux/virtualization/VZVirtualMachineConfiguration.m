#import "internal.h"
#import "a_mac.h"
#import <unistd.h>

enum { MiB = 1 << 20, most_serial_ports = 10 };

@implementation VZVirtualMachineConfiguration

@synthesize bootLoader = _bootLoader, memorySize = _memorySize, CPUCount = _CPUCount, platform = _platform, label = _label,
            audioDevices = _audioDevices, consoleDevices = _consoleDevices, customVirtioDevices = _customVirtioDevices,
            directorySharingDevices = _directorySharingDevices, entropyDevices = _entropyDevices,
            memoryBalloonDevices = _memoryBalloonDevices, networkDevices = _networkDevices, serialPorts = _serialPorts,
            socketDevices = _socketDevices, storageDevices = _storageDevices, keyboards = _keyboards,
            pointingDevices = _pointingDevices, graphicsDevices = _graphicsDevices, usbControllers = _usbControllers;

/// The lists of devices that the engine knows, in the order in which the guest finds them.
static NSArray *supported_lists(void) {
    return @[
        @"storageDevices", @"keyboards", @"pointingDevices", @"serialPorts", @"networkDevices", @"directorySharingDevices",
        @"graphicsDevices", @"memoryBalloonDevices", @"entropyDevices", @"socketDevices", @"usbControllers"
    ];
}

/// What a device in one of them has to be.
static Class kind_in_list(NSString *list) {
    return [@{
        @"storageDevices" : [VZStorageDeviceConfiguration class],
        @"directorySharingDevices" : [VZDirectorySharingDeviceConfiguration class],
        @"serialPorts" : [VZSerialPortConfiguration class],
        @"networkDevices" : [VZNetworkDeviceConfiguration class],
        @"memoryBalloonDevices" : [VZMemoryBalloonDeviceConfiguration class],
        @"entropyDevices" : [VZEntropyDeviceConfiguration class],
        @"graphicsDevices" : [VZGraphicsDeviceConfiguration class],
        @"keyboards" : [VZKeyboardConfiguration class],
        @"socketDevices" : [VZSocketDeviceConfiguration class],
        @"pointingDevices" : [VZPointingDeviceConfiguration class],
        @"usbControllers" : [VZUSBControllerConfiguration class],
    } objectForKey:list];
}

static NSArray *unsupported_lists(void) {
    return @[
        @"audioDevices", @"consoleDevices", @"customVirtioDevices"
    ];
}

static NSArray *all_lists(void) {
    return [supported_lists() arrayByAddingObjectsFromArray:unsupported_lists()];
}

- (id)init {
    self = [super init];
    if (!self) return nil;
    _memorySize = [VZVirtualMachineConfiguration minimumAllowedMemorySize];
    _CPUCount = 1;
    _platform = [[VZGenericPlatformConfiguration alloc] init];
    for (NSString *list in all_lists()) [self setValue:@[] forKey:list];
    return self;
}

- (void)dealloc {
    for (NSString *list in all_lists()) [self setValue:nil forKey:list];
    [_bootLoader release];
    [_platform release];
    [_label release];
    [super dealloc];
}

- (id)_copyInZone:(NSZone *)zone deep:(BOOL)deep {
    VZVirtualMachineConfiguration *copy = [[[self class] allocWithZone:zone] init];
    VZBootLoader *bootLoader = deep ? [[_bootLoader copy] autorelease] : _bootLoader;
    copy.bootLoader = bootLoader;
    [copy setValue:_platform forKey:@"platform"]; // not by methods that macOS 11 does not have
    [copy setValue:_label forKey:@"label"];
    copy.memorySize = _memorySize;
    copy.CPUCount = _CPUCount;
    for (NSString *list in all_lists()) {
        NSArray *devices = [self valueForKey:list];
        if (deep) devices = [[[NSArray alloc] initWithArray:devices copyItems:YES] autorelease];
        [copy setValue:devices forKey:list];
    }
    return copy;
}

- (id)copyWithZone:(NSZone *)zone {
    return [self _copyInZone:zone deep:NO];
}

- (id)_deepCopy {
    return [self _copyInZone:NULL deep:YES];
}

+ (uint64_t)minimumAllowedMemorySize {
    return 4 * MiB;
}

+ (uint64_t)maximumAllowedMemorySize {
    return (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) / MiB * MiB;
}

+ (NSUInteger)minimumAllowedCPUCount {
    return 1;
}

+ (NSUInteger)maximumAllowedCPUCount {
    return (NSUInteger)sysconf(_SC_NPROCESSORS_ONLN);
}

- (NSArray *)_parts {
    NSMutableArray *parts = [NSMutableArray array];
    if (_platform) [parts addObject:_platform];
    if (_bootLoader) [parts addObject:_bootLoader];
    for (NSString *list in supported_lists()) [parts addObjectsFromArray:[self valueForKey:list]];
    return parts;
}

- (BOOL)_validateNumbersWithError:(NSError **)error {
    uint64_t least = [VZVirtualMachineConfiguration minimumAllowedMemorySize];
    uint64_t most = [VZVirtualMachineConfiguration maximumAllowedMemorySize];
    NSUInteger processors = [VZVirtualMachineConfiguration maximumAllowedCPUCount];
    NSString *reason = nil;
    if (_CPUCount < 1 || _CPUCount > processors) {
        reason = [NSString stringWithFormat:@"The number of CPUs must be between 1 and %lu.", (unsigned long)processors];
    } else if (_memorySize % MiB != 0) {
        reason = @"The memory size must be a multiple of 1 megabyte.";
    } else if (_memorySize < least || _memorySize > most) {
        reason = [NSString stringWithFormat:@"The memory size must be between %llu and %llu bytes.", (unsigned long long)least,
                                            (unsigned long long)most];
    } else if (!_bootLoader) {
        reason = @"The boot loader is not set.";
    }
    return !reason || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", reason));
}

- (BOOL)_validateTagsWithError:(NSError **)error {
    NSMutableSet *tags = [NSMutableSet set];
    for (NSString *tag in [_directorySharingDevices valueForKey:@"tag"]) {
        if ([tags containsObject:tag]) {
            return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                                    @"The tag “%@” is used by more than one shared directory.", tag));
        }
        [tags addObject:tag];
    }
    return YES;
}

- (BOOL)_validateKindsWithError:(NSError **)error {
    for (NSString *list in supported_lists()) {
        for (id device in [self valueForKey:list]) {
            // An abstract kind is one that QEMU can be told nothing about.
            if ([device isKindOfClass:kind_in_list(list)] && [device respondsToSelector:@selector(_describeTo:error:)]) continue;
            return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"A %@ cannot be one of “%@”.",
                                                    NSStringFromClass([device class]), list));
        }
    }
    return YES;
}

- (BOOL)_validateNumberOf:(NSArray *)devices as:(NSString *)what error:(NSError **)error {
    if ([devices count] <= 1) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"There can be one %@ only.", what));
}

- (BOOL)_validateMacWithError:(NSError **)error {
    NSString *reason = nil;
    if (!hardware_can_virtualize()) {
        reason = @"Virtualization is not available on this hardware.";
    } else if (!has_entitlement(@"com.apple.security.virtualization")) {
        reason = @"The process doesn’t have the “com.apple.security.virtualization” entitlement.";
    }
    return !reason || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", reason));
}

- (BOOL)_validateSerialPortsWithError:(NSError **)error {
    if ([_serialPorts count] <= most_serial_ports) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                            @"Number of Virtio console serial port devices is greater than the maximum number supported."));
}

- (BOOL)validateWithError:(NSError **)error {
    if (![self _validateMacWithError:error]) return NO;
    if (![self _validateNumbersWithError:error]) return NO;
    for (NSString *list in unsupported_lists()) {
        if ([[self valueForKey:list] count] == 0) continue;
        return fail(error, virtualization_error(VZErrorNotSupported, @"The property “%@” is not supported on Linux.", list));
    }
    if (![self _validateKindsWithError:error]) return NO;
    for (id<MachinePart> part in [self _parts]) {
        if ([part respondsToSelector:@selector(_validateWithError:)] && ![part _validateWithError:error]) return NO;
    }
    return [self _validateTagsWithError:error] && [self _validateSerialPortsWithError:error] &&
           [self _validateNumberOf:_memoryBalloonDevices as:@"memory balloon device" error:error] &&
           [self _validateNumberOf:_socketDevices as:@"socket device" error:error];
}

- (BOOL)validateSaveRestoreSupportWithError:(NSError **)error {
    for (id<MachinePart> part in [self _parts]) {
        NSString *what = [part respondsToSelector:@selector(_unsavablePart)] ? [part _unsavablePart] : nil;
        if (what) return fail(error, virtualization_error(VZErrorNotSupported, @"Saving and restoring do not support %@.", what));
    }
    return YES;
}

- (NSString *)_identityInSavedState {
    NSMutableString *words = [NSMutableString stringWithFormat:@"%llu %lu", (unsigned long long)_memorySize, (unsigned long)_CPUCount];
    for (id<MachinePart> part in [self _parts]) {
        [words appendFormat:@"\n%@", NSStringFromClass([part class])];
        if ([part respondsToSelector:@selector(_identityInSavedState)]) [words appendFormat:@" %@", [part _identityInSavedState]];
    }
    return words;
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [commandLine add:@"-no-user-config"];
    [commandLine add:@"-nodefaults"];
    [commandLine add:@"-S"];
    [commandLine add:@"-display" value:@"none"];
    [commandLine add:@"-sandbox" value:@"on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"];
    [commandLine add:@"-m" value:@"%lluM", (unsigned long long)(_memorySize / MiB)];
    [commandLine add:@"-smp" value:@"%lu", (unsigned long)_CPUCount];
    if ([_label length]) [commandLine add:@"-name" value:@"guest=%@", qemu_quoted(_label)];
    for (id<MachinePart> part in [self _parts]) {
        if (![part _describeTo:commandLine error:error]) return NO;
    }
    if (commandLine.sharesMemory) {
        [commandLine add:@"-object"
                   value:@"memory-backend-memfd,id=memory,size=%lluM,share=on", (unsigned long long)(_memorySize / MiB)];
        [commandLine add:@"-machine" value:@"memory-backend=memory"];
    }
    return YES;
}

@end
