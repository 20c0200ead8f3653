#import <Foundation/Foundation.h>

@interface VZGraphicsDisplayConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
