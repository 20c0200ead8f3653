#import <Foundation/Foundation.h>

@interface VZDirectorySharingDevice : NSObject
+ (instancetype)new;
- (instancetype)init;
@end
