#import <Foundation/Foundation.h>

@class VZUSBController;

/// A USB device of a running machine, or one that can be attached to it. For use on the machine's queue only.
@protocol VZUSBDevice <NSObject>
/// That it is attached to; nil when it is attached to none.
@property(readonly) VZUSBController *usbController;
/// Its configuration's.
@property(readonly) NSUUID *uuid;
@end
