#import <Foundation/Foundation.h>

@interface VZNetworkDeviceAttachment : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
