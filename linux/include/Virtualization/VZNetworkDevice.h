#import <Foundation/Foundation.h>
#import <Virtualization/VZNetworkDeviceAttachment.h>

@class MachineLink;

/// A running machine's network card. For use on the machine's queue only.
@interface VZNetworkDevice : NSObject {
  @private
    MachineLink *_machine;
    NSString *_identifier;
    VZNetworkDeviceAttachment *_attachment;
}
+ (instancetype)new;
- (instancetype)init;
/// nil unplugs the cable.
@property(strong) VZNetworkDeviceAttachment *attachment;
@end
