#import <Foundation/Foundation.h>

@interface VZMemoryBalloonDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
