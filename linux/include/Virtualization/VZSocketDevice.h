#import <Foundation/Foundation.h>

@interface VZSocketDevice : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
