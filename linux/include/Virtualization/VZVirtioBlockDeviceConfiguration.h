#import <Foundation/Foundation.h>
#import <Virtualization/VZStorageDeviceConfiguration.h>

@interface VZVirtioBlockDeviceConfiguration : VZStorageDeviceConfiguration {
  @private
    NSString *_blockDeviceIdentifier;
}
- (instancetype)initWithAttachment:(VZStorageDeviceAttachment *)attachment;
+ (BOOL)validateBlockDeviceIdentifier:(NSString *)blockDeviceIdentifier error:(NSError **)error;
/// At most 20 bytes of ASCII; the guest sees it as the disk's serial number. Empty by default.
@property(copy) NSString *blockDeviceIdentifier;
@end
