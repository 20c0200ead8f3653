#import <Foundation/Foundation.h>

@protocol VZUSBDeviceConfiguration <NSObject>
/// Random by default.
@property(copy) NSUUID *uuid;
@end
