#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

/// A network behind the host's address.
@interface VZNATNetworkDeviceAttachment : VZNetworkDeviceAttachment
- (instancetype)init;
@end
