#import <Foundation/Foundation.h>

@interface VZKeyboardConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
