#import <Foundation/Foundation.h>
#import <Virtualization/VZSocketDeviceConfiguration.h>

/// Sockets between host and guest that need no network. A machine has one such device at most.
@interface VZVirtioSocketDeviceConfiguration : VZSocketDeviceConfiguration
- (instancetype)init;
@end
