#import "internal.h"
#import "usb_bus.h"

@implementation VZKeyboardConfiguration

NOT_MADE_BY_INIT(VZKeyboardConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZUSBKeyboardConfiguration (Engine) <MachinePart>
@end

@implementation VZUSBKeyboardConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [commandLine add:@"-device" value:@"usb-kbd,bus=%@", usb_bus(commandLine)];
    return YES;
}

@end
