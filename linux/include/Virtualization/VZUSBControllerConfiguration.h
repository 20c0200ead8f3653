#import <Foundation/Foundation.h>

@interface VZUSBControllerConfiguration : NSObject <NSCopying> {
  @private
    NSArray *_usbDevices;
}
+ (instancetype)new;
- (instancetype)init;
/// VZUSBDeviceConfigurations, which a machine has from the start on.
@property(copy) NSArray *usbDevices;
@end
