#import <Foundation/Foundation.h>
#import <Virtualization/VZMACAddress.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

@interface VZNetworkDeviceConfiguration : NSObject <NSCopying> {
  @private
    VZMACAddress *_MACAddress;
    VZNetworkDeviceAttachment *_attachment;
}
+ (instancetype)new;
- (instancetype)init;
/// A random locally administered address by default.
@property(copy) VZMACAddress *MACAddress;
@property(strong) VZNetworkDeviceAttachment *attachment;
@end
