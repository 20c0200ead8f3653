#import <Foundation/Foundation.h>
#import <Virtualization/VZDirectorySharingDeviceConfiguration.h>

@class VZDirectoryShare;

@interface VZVirtioFileSystemDeviceConfiguration : VZDirectorySharingDeviceConfiguration {
  @private
    NSString *_tag;
    VZDirectoryShare *_share;
}
/// @param tag What the guest mounts it by.
- (instancetype)initWithTag:(NSString *)tag;
/// A tag is not empty and has fewer than 36 bytes.
+ (BOOL)validateTag:(NSString *)tag error:(NSError **)error;
@property(copy) NSString *tag;
@property(strong) VZDirectoryShare *share;
/// The tag that macOS mounts by itself.
+ (NSString *)macOSGuestAutomountTag;
@end
