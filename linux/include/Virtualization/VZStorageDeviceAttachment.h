#import <Foundation/Foundation.h>

/// What a storage device keeps its bytes in on the host. Use VZDiskImageStorageDeviceAttachment.
@interface VZStorageDeviceAttachment : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
