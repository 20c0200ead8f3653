#import <Foundation/Foundation.h>
#import <Virtualization/VZKeyboardConfiguration.h>

@interface VZUSBKeyboardConfiguration : VZKeyboardConfiguration
- (instancetype)init;
@end
