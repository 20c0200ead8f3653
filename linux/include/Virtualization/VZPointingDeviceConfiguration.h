#import <Foundation/Foundation.h>

@interface VZPointingDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
