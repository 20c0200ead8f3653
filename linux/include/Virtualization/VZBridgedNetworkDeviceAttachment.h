#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

@class VZBridgedNetworkInterface;

/// On Linux QEMU's qemu-bridge-helper plugs the cable in, and /etc/qemu/bridge.conf says into what bridges it may.
@interface VZBridgedNetworkDeviceAttachment : VZNetworkDeviceAttachment {
  @private
    VZBridgedNetworkInterface *_interface;
}
- (instancetype)initWithInterface:(VZBridgedNetworkInterface *)interface;
@property(readonly) VZBridgedNetworkInterface *interface;
@end
