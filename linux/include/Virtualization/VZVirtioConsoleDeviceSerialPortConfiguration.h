#import <Foundation/Foundation.h>
#import <Virtualization/VZSerialPortConfiguration.h>

/// The guest's /dev/hvc0, hvc1 ... in the order of the configuration.
@interface VZVirtioConsoleDeviceSerialPortConfiguration : VZSerialPortConfiguration
- (instancetype)init;
@end
