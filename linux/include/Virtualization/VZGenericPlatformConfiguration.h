#import <Foundation/Foundation.h>
#import <Virtualization/VZPlatformConfiguration.h>
#import <Virtualization/VZGenericMachineIdentifier.h>

/// The platform of guests that are not macOS.
@interface VZGenericPlatformConfiguration : VZPlatformConfiguration {
  @private
    VZGenericMachineIdentifier *_machineIdentifier;
    BOOL _nestedVirtualizationEnabled;
}
- (instancetype)init;
@property(copy) VZGenericMachineIdentifier *machineIdentifier;
+ (BOOL)isNestedVirtualizationSupported;
@property(getter=isNestedVirtualizationEnabled) BOOL nestedVirtualizationEnabled;
@end
