#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDeviceConfiguration.h>
#import <Virtualization/VZUSBDeviceConfiguration.h>

@interface VZUSBMassStorageDeviceConfiguration : VZStorageDeviceConfiguration <VZUSBDeviceConfiguration> {
  @private
    NSUUID *_uuid;
}
- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment;
@end
