#import <Foundation/Foundation.h>

/// What a serial port is connected to on the host.
@interface VZSerialPortAttachment : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
