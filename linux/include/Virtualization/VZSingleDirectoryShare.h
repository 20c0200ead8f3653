#import <Foundation/Foundation.h>
#import <Virtualization/VZDirectoryShare.h>

@class VZSharedDirectory;

@interface VZSingleDirectoryShare : VZDirectoryShare {
  @private
    VZSharedDirectory *_directory;
}
- (instancetype)initWithDirectory:(VZSharedDirectory *)directory;
@property(readonly) VZSharedDirectory *directory;
@end
