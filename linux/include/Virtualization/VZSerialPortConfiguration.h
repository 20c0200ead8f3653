#import <Foundation/Foundation.h>
#import <Virtualization/VZSerialPortAttachment.h>

@interface VZSerialPortConfiguration : NSObject <NSCopying> {
  @private
    VZSerialPortAttachment *_attachment;
}
+ (instancetype)new;
- (instancetype)init;
@property(strong) VZSerialPortAttachment *attachment;
@end
