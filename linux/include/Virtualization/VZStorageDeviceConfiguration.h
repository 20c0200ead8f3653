#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDeviceAttachment.h>

/// A disk. The guest finds its disks in the order of the configuration's storageDevices.
@interface VZStorageDeviceConfiguration : NSObject <NSCopying> {
  @private
    VZStorageDeviceAttachment *_attachment;
}
+ (instancetype)new;
- (instancetype)init;
@property(readonly) VZStorageDeviceAttachment *attachment;
@end
