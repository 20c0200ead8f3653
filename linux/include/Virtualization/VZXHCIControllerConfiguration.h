#import <Foundation/Foundation.h>
#import <Virtualization/VZUSBControllerConfiguration.h>

@interface VZXHCIControllerConfiguration : VZUSBControllerConfiguration
- (instancetype)init;
@end
