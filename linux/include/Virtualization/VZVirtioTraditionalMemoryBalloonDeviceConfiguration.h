#import <Foundation/Foundation.h>
#import <Virtualization/VZMemoryBalloonDeviceConfiguration.h>

/// Lets the guest hand memory back while it runs.
@interface VZVirtioTraditionalMemoryBalloonDeviceConfiguration : VZMemoryBalloonDeviceConfiguration
- (instancetype)init;
@end
