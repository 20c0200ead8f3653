// What a compiled client finds on the macOS that VIRTUALIZATION_MACOS names.
#import <Virtualization/Virtualization.h>

int main(void) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    VZVirtualMachineConfiguration *configuration = [[VZVirtualMachineConfiguration alloc] init];
    BOOL finds[] = {
        [VZLinuxBootLoader class] && NSClassFromString(@"VZLinuxBootLoader"),
        [VZGenericPlatformConfiguration class] && NSClassFromString(@"VZGenericPlatformConfiguration"),
        [VZEFIBootLoader class] && NSClassFromString(@"VZEFIBootLoader"),
        [VZEFIBootLoader class] || NSClassFromString(@"VZEFIBootLoader"),
        [configuration respondsToSelector:@selector(serialPorts)],
        [configuration respondsToSelector:@selector(platform)],
        [VZVirtualMachineConfiguration instancesRespondToSelector:@selector(graphicsDevices)],
        [VZVirtualMachine instancesRespondToSelector:@selector(stopWithCompletionHandler:)],
    };
    for (size_t i = 0; i < sizeof finds; i++) printf("%d", finds[i]);
    [pool release];
    return 0;
}
