// What GNUstep's AppKit does not have, and has no use for.
#import <AppKit/AppKit.h>

@interface NSApplication (Missing)
@end

@implementation NSApplication (Missing)
// Every application with a window is a regular one here.
- (BOOL)setActivationPolicy:(NSInteger)policy {
    return policy == 0;
}
@end
