#import <Foundation/Foundation.h>

@interface VZEntropyDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
