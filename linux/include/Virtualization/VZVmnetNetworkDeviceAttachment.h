#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>
#import <vmnet/vmnet.h>

/// A network that vmnet has made (macOS 26).
@interface VZVmnetNetworkDeviceAttachment : VZNetworkDeviceAttachment {
  @private
    vmnet_network_ref _network;
}
- (instancetype)initWithNetwork:(vmnet_network_ref)network;
@property(readonly) vmnet_network_ref network;
@end
