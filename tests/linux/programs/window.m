// A machine with a screen in a window, by a plain Objective-C client of Virtualization.
//   window kernel KERNEL INITRD APPEND      boots Linux, console on stdin and stdout
//   window cd ISO VARIABLES                 boots a CD by EFI
#import <Virtualization/Virtualization.h>
#import <Virtualization/VZVirtualMachineView.h>

@interface Delegate : NSObject <VZVirtualMachineDelegate>
@end

@implementation Delegate
// GNUstep takes the program's arguments for documents.
- (void)application:(NSApplication *)application openFiles:(NSArray *)files {
}
- (void)guestDidStopVirtualMachine:(VZVirtualMachine *)machine {
    exit(0);
}
- (void)virtualMachine:(VZVirtualMachine *)machine didStopWithError:(NSError *)error {
    fprintf(stderr, "%s\n", error.description.UTF8String);
    exit(1);
}
@end

static void require(BOOL condition, NSError *error) {
    if (condition) return;
    fprintf(stderr, "%s\n", error.description.UTF8String);
    exit(1);
}

static NSURL *file(const char *path) {
    return [NSURL fileURLWithPath:[NSString stringWithUTF8String:path]];
}

static void boot_kernel(VZVirtualMachineConfiguration *configuration, char **arguments) {
    VZLinuxBootLoader *loader = [[VZLinuxBootLoader alloc] initWithKernelURL:file(arguments[0])];
    loader.initialRamdiskURL = file(arguments[1]);
    loader.commandLine = [NSString stringWithUTF8String:arguments[2]];
    configuration.bootLoader = loader;
}

static void boot_cd(VZVirtualMachineConfiguration *configuration, char **arguments) {
    NSError *error = nil;
    VZEFIBootLoader *loader = [VZEFIBootLoader new];
    loader.variableStore = [[VZEFIVariableStore alloc] initCreatingVariableStoreAtURL:file(arguments[1])
                                                                              options:VZEFIVariableStoreInitializationOptionAllowOverwrite
                                                                                error:&error];
    require(loader.variableStore != nil, error);
    VZDiskImageStorageDeviceAttachment *image = [[VZDiskImageStorageDeviceAttachment alloc] initWithURL:file(arguments[0])
                                                                                               readOnly:YES
                                                                                                  error:&error];
    require(image != nil, error);
    configuration.bootLoader = loader;
    configuration.storageDevices = @[ [[VZUSBMassStorageDeviceConfiguration alloc] initWithAttachment:image] ];
}

static VZVirtualMachineConfiguration *make_configuration(void) {
    VZVirtioConsoleDeviceSerialPortConfiguration *console = [VZVirtioConsoleDeviceSerialPortConfiguration new];
    NSFileHandle *input = [[NSFileHandle alloc] initWithFileDescriptor:0 closeOnDealloc:NO];
    NSFileHandle *output = [[NSFileHandle alloc] initWithFileDescriptor:1 closeOnDealloc:NO];
    console.attachment = [[VZFileHandleSerialPortAttachment alloc] initWithFileHandleForReading:input
                                                                           fileHandleForWriting:output];
    VZVirtioGraphicsDeviceConfiguration *graphics = [VZVirtioGraphicsDeviceConfiguration new];
    graphics.scanouts = @[ [[VZVirtioGraphicsScanoutConfiguration alloc] initWithWidthInPixels:800 heightInPixels:600] ];
    VZVirtualMachineConfiguration *configuration = [VZVirtualMachineConfiguration new];
    configuration.memorySize = 512ull << 20;
    configuration.serialPorts = @[ console ];
    configuration.graphicsDevices = @[ graphics ];
    configuration.keyboards = @[ [VZUSBKeyboardConfiguration new] ];
    configuration.pointingDevices = @[ [VZUSBScreenCoordinatePointingDeviceConfiguration new] ];
    return configuration;
}

int main(int argc, char **argv) {
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    // A window with neither frame nor menu: what is in it has the window's places and sizes.
    [[NSUserDefaults standardUserDefaults]
        registerDefaults:@{@"GSX11HandlesWindowDecorations" : @"YES", @"NSMenuInterfaceStyle" : @"NSNextStepInterfaceStyle"}];
    VZVirtualMachineConfiguration *configuration = make_configuration();
    if (argc == 5 && strcmp(argv[1], "kernel") == 0) {
        boot_kernel(configuration, argv + 2);
    } else if (argc == 4 && strcmp(argv[1], "cd") == 0) {
        boot_cd(configuration, argv + 2);
    } else {
        return 2;
    }
    NSError *error = nil;
    require([configuration validateWithError:&error], error);

    [NSApplication sharedApplication];
    NSMenu *menu = [[NSMenu alloc] initWithTitle:@"window"];
    [menu addItemWithTitle:@"Quit" action:@selector(terminate:) keyEquivalent:@"q"];
    [NSApp setMainMenu:menu];
    Delegate *delegate = [Delegate new];
    [NSApp setDelegate:(id)delegate];
    NSUInteger style = NSTitledWindowMask | NSClosableWindowMask | NSMiniaturizableWindowMask | NSResizableWindowMask;
    NSWindow *window = [[NSWindow alloc] initWithContentRect:NSMakeRect(100, 100, 800, 600)
                                                   styleMask:style
                                                     backing:NSBackingStoreBuffered
                                                       defer:NO];
    dispatch_queue_t queue = dispatch_queue_create("machine", DISPATCH_QUEUE_SERIAL);
    VZVirtualMachine *machine = [[VZVirtualMachine alloc] initWithConfiguration:configuration queue:queue];
    VZVirtualMachineView *view = [[VZVirtualMachineView alloc] initWithFrame:NSMakeRect(0, 0, 800, 600)];
    view.automaticallyReconfiguresDisplay = YES;
    view.virtualMachine = machine;
    window.title = @"machine";
    window.contentView = view;
    [window makeKeyAndOrderFront:nil];
    [NSApp activateIgnoringOtherApps:YES];

    dispatch_async(queue, ^{
        machine.delegate = delegate;
        [machine startWithCompletionHandler:^(NSError *failure) {
            require(failure == nil, failure);
        }];
    });
    [NSApp run];
    [pool release];
}
