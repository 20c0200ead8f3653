#import <Foundation/Foundation.h>

@interface VZStorageDevice : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
