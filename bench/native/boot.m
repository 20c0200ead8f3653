// The same machine that vzrun makes, by a plain Objective-C client of Virtualization: what the bridge is measured against.
//   boot KERNEL INITRD APPEND MEMORY_MIB CPUS     boots, console on stdin and stdout
//   boot messages COUNT                           prints the ns that one message to a getter takes
#import <Virtualization/Virtualization.h>
#import <dispatch/dispatch.h>
#include <time.h>

@interface Delegate : NSObject <VZVirtualMachineDelegate>
@end

@implementation Delegate
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

static int messages(long count) {
    VZVirtualMachineConfiguration *configuration = [VZVirtualMachineConfiguration new];
    struct timespec from, to;
    volatile unsigned long long sum = 0;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (long i = 0; i < count; i++) sum += configuration.memorySize;
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("%g\n", ((to.tv_sec - from.tv_sec) * 1e9 + (to.tv_nsec - from.tv_nsec)) / count);
    return 0;
}

int main(int argc, char **argv) {
    NSAutoreleasePool *pool = [NSAutoreleasePool new];
    if (argc == 3) return messages(atol(argv[2]));
    if (argc != 6) return 2;
    NSURL *kernel = [NSURL fileURLWithPath:[NSString stringWithUTF8String:argv[1]]];
    VZLinuxBootLoader *loader = [[VZLinuxBootLoader alloc] initWithKernelURL:kernel];
    loader.initialRamdiskURL = [NSURL fileURLWithPath:[NSString stringWithUTF8String:argv[2]]];
    loader.commandLine = [NSString stringWithUTF8String:argv[3]];

    VZVirtioConsoleDeviceSerialPortConfiguration *console = [VZVirtioConsoleDeviceSerialPortConfiguration new];
    NSFileHandle *input = [[NSFileHandle alloc] initWithFileDescriptor:0 closeOnDealloc:NO];
    NSFileHandle *output = [[NSFileHandle alloc] initWithFileDescriptor:1 closeOnDealloc:NO];
    console.attachment = [[VZFileHandleSerialPortAttachment alloc] initWithFileHandleForReading:input
                                                                           fileHandleForWriting:output];
    VZVirtioNetworkDeviceConfiguration *network = [VZVirtioNetworkDeviceConfiguration new];
    network.attachment = [VZNATNetworkDeviceAttachment new];

    VZVirtualMachineConfiguration *configuration = [VZVirtualMachineConfiguration new];
    configuration.bootLoader = loader;
    configuration.memorySize = strtoull(argv[4], NULL, 10) << 20;
    configuration.CPUCount = strtoull(argv[5], NULL, 10);
    configuration.serialPorts = @[ console ];
    configuration.networkDevices = @[ network ];
    configuration.entropyDevices = @[ [VZVirtioEntropyDeviceConfiguration new] ];
    configuration.memoryBalloonDevices = @[ [VZVirtioTraditionalMemoryBalloonDeviceConfiguration new] ];
    NSError *error = nil;
    require([configuration validateWithError:&error], error);

    dispatch_queue_t queue = dispatch_queue_create("boot", NULL);
    VZVirtualMachine *machine = [[VZVirtualMachine alloc] initWithConfiguration:configuration queue:queue];
    Delegate *delegate = [Delegate new];
    dispatch_sync(queue, ^{
        machine.delegate = delegate;
        [machine startWithCompletionHandler:^(NSError *failure) {
            require(failure == nil, failure);
        }];
    });
    [pool release];
    dispatch_main();
}
