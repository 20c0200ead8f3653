#import <Foundation/Foundation.h>

@interface VZSocketDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
