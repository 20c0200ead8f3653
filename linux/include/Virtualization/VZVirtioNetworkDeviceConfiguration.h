#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceConfiguration.h>

/// A virtio network card.
@interface VZVirtioNetworkDeviceConfiguration : VZNetworkDeviceConfiguration
- (instancetype)init;
@end
