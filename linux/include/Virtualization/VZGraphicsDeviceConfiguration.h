#import <Foundation/Foundation.h>

@interface VZGraphicsDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
