#import <Foundation/Foundation.h>
#import <Virtualization/VZUSBDevice.h>

@class MachineLink;
@protocol VZUSBControllerDelegate;

/// A running machine's USB controller. For use on the machine's queue only, on which the handlers are called.
@interface VZUSBController : NSObject {
  @private
    MachineLink *_machine;
    NSString *_identifier;
    NSArray *_configurations;
    NSMutableArray *_devices, *_moving;
    NSUInteger _plugs;
    id _delegate;
}
+ (instancetype)new;
- (instancetype)init;
/// Fails when the device is attached already, here or to another controller.
- (void)attachDevice:(id<VZUSBDevice>)device completionHandler:(void (^)(NSError *errorOrNil))completionHandler;
/// The guest is not asked: what it has not yet written is lost, as when a stick is pulled out.
- (void)detachDevice:(id<VZUSBDevice>)device completionHandler:(void (^)(NSError *errorOrNil))completionHandler;
/// Those of the configuration too, from the start on.
@property(readonly, copy) NSArray *usbDevices;
@property(assign) id<VZUSBControllerDelegate> delegate;
@end
