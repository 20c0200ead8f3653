#import "internal.h"
#import "usb_bus.h"

@implementation VZPointingDeviceConfiguration

NOT_MADE_BY_INIT(VZPointingDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZUSBScreenCoordinatePointingDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZUSBScreenCoordinatePointingDeviceConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [commandLine add:@"-device" value:@"usb-tablet,bus=%@", usb_bus(commandLine)];
    return YES;
}

@end
