#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

@class MachineLink;

/// A running machine's network card. For use on the machine's queue only.
@interface VZNetworkDevice : NSObject {
  @private
    MachineLink *_machine;
    NSString *_identifier;
    VZNetworkDeviceAttachment *_attachment, *_network;
}
+ (instancetype)new;
- (instancetype)init;
/// nil unplugs the cable. It can be plugged in again where it was at first, and nowhere else.
@property(strong) VZNetworkDeviceAttachment *attachment;
@end
