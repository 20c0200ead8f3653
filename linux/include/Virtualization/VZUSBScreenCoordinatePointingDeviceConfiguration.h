#import <Foundation/Foundation.h>
#import <Virtualization/VZPointingDeviceConfiguration.h>

/// A tablet: the guest is told where on its screen the pointer is.
@interface VZUSBScreenCoordinatePointingDeviceConfiguration : VZPointingDeviceConfiguration
- (instancetype)init;
@end
