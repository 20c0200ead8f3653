#import <Foundation/Foundation.h>

@interface VZMemoryBalloonDevice : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
