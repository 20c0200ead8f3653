#import <Foundation/Foundation.h>

/// How a machine comes up. Use VZLinuxBootLoader.
@interface VZBootLoader : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
