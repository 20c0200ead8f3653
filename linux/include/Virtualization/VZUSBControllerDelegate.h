#import <Foundation/Foundation.h>

@class VZUSBController, VZUSBPassthroughDevice;

/// Of devices of the host's, of which there are none on Linux.
@protocol VZUSBControllerDelegate <NSObject>
@optional
- (void)usbController:(VZUSBController *)usbController usbPassthroughDeviceDidDisconnect:(VZUSBPassthroughDevice *)device;
@end
