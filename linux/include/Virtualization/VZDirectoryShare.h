#import <Foundation/Foundation.h>

@interface VZDirectoryShare : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
