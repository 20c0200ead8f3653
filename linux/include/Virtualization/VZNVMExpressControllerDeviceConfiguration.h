#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDeviceConfiguration.h>

@interface VZNVMExpressControllerDeviceConfiguration : VZStorageDeviceConfiguration
- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment;
@end
