#import <Foundation/Foundation.h>

/// A folder of the host's for the guest. Whatever user of the guest's makes a file in it, the file is the user's that
/// runs the machine.
@interface VZSharedDirectory : NSObject {
  @private
    NSURL *_URL;
    BOOL _readOnly;
}
+ (instancetype)new;
- (instancetype)init;
- (instancetype)initWithURL:(NSURL *)url readOnly:(BOOL)readOnly;
@property(readonly) NSURL *URL;
@property(readonly, getter=isReadOnly) BOOL readOnly;
@end
