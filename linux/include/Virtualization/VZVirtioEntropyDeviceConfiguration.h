#import <Foundation/Foundation.h>
#import <Virtualization/VZEntropyDeviceConfiguration.h>

/// A source of random numbers for the guest.
@interface VZVirtioEntropyDeviceConfiguration : VZEntropyDeviceConfiguration
- (instancetype)init;
@end
