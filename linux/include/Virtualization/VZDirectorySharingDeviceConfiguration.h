#import <Foundation/Foundation.h>

@interface VZDirectorySharingDeviceConfiguration : NSObject <NSCopying>
+ (instancetype)new;
- (instancetype)init;
@end
