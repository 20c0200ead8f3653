#import "internal.h"
#import "screen.h"
#import <sys/socket.h>
#import <unistd.h>

enum { most_pixels = 16384 }; // Apple's

static BOOL check_size(CGFloat width, CGFloat height, NSError **error) {
    if (width >= 1 && width <= most_pixels && height >= 1 && height <= most_pixels) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                            @"The size of a display must be between 1 x 1 and %d x %d pixels.", most_pixels, most_pixels));
}

@implementation VZGraphicsDisplayConfiguration

NOT_MADE_BY_INIT(VZGraphicsDisplayConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@implementation VZVirtioGraphicsScanoutConfiguration

@synthesize widthInPixels = _widthInPixels, heightInPixels = _heightInPixels;

- (instancetype)initWithWidthInPixels:(NSInteger)widthInPixels heightInPixels:(NSInteger)heightInPixels {
    self = [super init];
    if (!self) return nil;
    _widthInPixels = widthInPixels;
    _heightInPixels = heightInPixels;
    return self;
}

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] initWithWidthInPixels:_widthInPixels heightInPixels:_heightInPixels];
}

@end

@implementation VZGraphicsDeviceConfiguration

NOT_MADE_BY_INIT(VZGraphicsDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZVirtioGraphicsDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioGraphicsDeviceConfiguration

@synthesize scanouts = _scanouts;

- (instancetype)init {
    self = [super init];
    if (self) _scanouts = [[NSArray alloc] init];
    return self;
}

- (void)dealloc {
    [_scanouts release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZVirtioGraphicsDeviceConfiguration *copy = [super copyWithZone:zone];
    copy.scanouts = [[[NSArray alloc] initWithArray:_scanouts copyItems:YES] autorelease];
    return copy;
}

- (BOOL)_validateWithError:(NSError **)error {
    VZVirtioGraphicsScanoutConfiguration *scanout = [_scanouts lastObject];
    if ([_scanouts count] > 1) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"More than one scanout is configured."));
    }
    if ([_scanouts count] != 1 || ![scanout isKindOfClass:[VZVirtioGraphicsScanoutConfiguration class]]) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                                @"A Virtio graphics device must have one scanout."));
    }
    return check_size(scanout.widthInPixels, scanout.heightInPixels, error);
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    VZVirtioGraphicsScanoutConfiguration *scanout = [_scanouts lastObject];
    [commandLine addPCIDevice:@"virtio-gpu-pci,xres=%ld,yres=%ld", (long)scanout.widthInPixels, (long)scanout.heightInPixels];
    // A server that listens nowhere: its clients are connections that QEMU is handed. What is typed goes to the guest as
    // it is; the guest's lock keys are its own.
    // Of several devices it shows the first.
    if ([[commandLine identifierForKind:@"screen"] isEqualToString:@"screen0"]) {
        [commandLine add:@"-vnc" value:@"none,lock-key-sync=off"];
    }
    return YES;
}

@end

@implementation VZGraphicsDevice

NOT_MADE_BY_INIT(VZGraphicsDevice)

- (id)_initWithMachine:(MachineLink *)machine displays:(NSArray *)displays {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _displays = [displays copy];
    return self;
}

- (void)dealloc {
    [_machine release];
    [_displays release];
    [super dealloc];
}

- (NSArray *)displays {
    dispatch_assert_queue(_machine.queue);
    return _displays;
}

@end

@implementation VZVirtioGraphicsDevice

NOT_MADE_BY_INIT(VZVirtioGraphicsDevice)

@end

@implementation VZGraphicsDisplay

NOT_MADE_BY_INIT(VZGraphicsDisplay)

- (id)_initWithMachine:(MachineLink *)machine sizeInPixels:(CGSize)size {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _sizeInPixels = size;
    _observers = [[NSHashTable alloc] initWithOptions:NSPointerFunctionsOpaqueMemory | NSPointerFunctionsOpaquePersonality capacity:0];
    _reconfigurations = dispatch_queue_create("display", DISPATCH_QUEUE_SERIAL);
    return self;
}

- (void)dealloc {
    [_machine release];
    [_observers release];
    [_reconfigurations release];
    [super dealloc];
}

- (CGSize)sizeInPixels {
    dispatch_assert_queue(_machine.queue);
    return _sizeInPixels;
}

- (void)addObserver:(id<VZGraphicsDisplayObserver>)observer {
    dispatch_assert_queue(_machine.queue);
    [_observers addObject:observer];
}

- (void)removeObserver:(id<VZGraphicsDisplayObserver>)observer {
    dispatch_assert_queue(_machine.queue);
    [_observers removeObject:observer];
}

- (void)_tellObservers:(SEL)message {
    for (id observer in [_observers allObjects]) {
        if ([observer respondsToSelector:message]) [observer performSelector:message withObject:self];
    }
}

/// Says on a connection to the screen that it is to have another size, and returns when QEMU has heard that. RFB lets a
/// client say all that it has to say before it hears an answer: version, no authentication, not alone, knows of
/// sizes (ExtendedDesktopSize), wants one (SetDesktopSize).
static void ask_for_size(int screen, CGSize size) {
    uint8_t width[] = {(uint16_t)size.width >> 8, (uint8_t)(uint16_t)size.width};
    uint8_t height[] = {(uint16_t)size.height >> 8, (uint8_t)(uint16_t)size.height};
    uint8_t words[] = {
        'R', 'F', 'B', ' ', '0', '0', '3', '.', '0', '0', '8', '\n', 1, 1,
        2, 0, 0, 1, 0xff, 0xff, 0xfe, 0xcc,
        251, 0, width[0], width[1], height[0], height[1], 1, 0,
        0, 0, 0, 0, 0, 0, 0, 0, width[0], width[1], height[0], height[1], 0, 0, 0, 0,
    };
    if (send(screen, words, sizeof words, MSG_NOSIGNAL) == sizeof words && shutdown(screen, SHUT_WR) == 0) {
        char answer[256];
        while (read(screen, answer, sizeof answer) > 0) {}
    }
    close(screen);
}

- (BOOL)reconfigureWithSizeInPixels:(CGSize)sizeInPixels error:(NSError **)error {
    dispatch_assert_queue(_machine.queue);
    if (!check_size(sizeInPixels.width, sizeInPixels.height, error)) return NO;
    VZVirtualMachine *machine = [[_machine copyMachine] autorelease];
    if (machine && self != [machine _shownDisplay]) {
        return fail(error, virtualization_error(VZErrorNotSupported, @"Only the first of several displays can be reconfigured on Linux."));
    }
    int screen = machine ? [machine _connectToScreen] : -1;
    if (screen < 0) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineState,
                                                @"A display can be reconfigured while its virtual machine runs."));
    }
    _sizeInPixels = sizeInPixels;
    [self _tellObservers:@selector(displayDidBeginReconfiguration:)];
    dispatch_async(_reconfigurations, ^{
      ask_for_size(screen, sizeInPixels);
      dispatch_async(_machine.queue, ^{
        [self _tellObservers:@selector(displayDidEndReconfiguration:)];
      });
    });
    return YES;
}

- (BOOL)reconfigureWithConfiguration:(VZGraphicsDisplayConfiguration *)configuration error:(NSError **)error {
    dispatch_assert_queue(_machine.queue);
    if (![configuration isKindOfClass:[VZVirtioGraphicsScanoutConfiguration class]]) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration,
                                                @"A scanout can be reconfigured as a scanout only."));
    }
    VZVirtioGraphicsScanoutConfiguration *scanout = (VZVirtioGraphicsScanoutConfiguration *)configuration;
    return [self reconfigureWithSizeInPixels:NSMakeSize(scanout.widthInPixels, scanout.heightInPixels) error:error];
}

@end

@implementation VZVirtioGraphicsScanout

NOT_MADE_BY_INIT(VZVirtioGraphicsScanout)

@end
