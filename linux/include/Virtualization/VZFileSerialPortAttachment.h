#import <Foundation/Foundation.h>
#import <Virtualization/VZSerialPortAttachment.h>

/// Writes what the guest sends to a file. The guest receives nothing.
@interface VZFileSerialPortAttachment : VZSerialPortAttachment {
  @private
    NSURL *_URL;
    BOOL _append;
    int _descriptor;
}
+ (instancetype)new;
- (instancetype)init;
- (instancetype)initWithURL:(NSURL *)url append:(BOOL)shouldAppend error:(NSError **)error;
@property(readonly) NSURL *URL;
@property(readonly) BOOL append;
@end
