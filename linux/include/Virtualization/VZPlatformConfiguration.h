#import <Foundation/Foundation.h>

@interface VZPlatformConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
