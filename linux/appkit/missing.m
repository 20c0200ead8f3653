// What GNUstep's AppKit does not have, and has no use for.
#import <AppKit/AppKit.h>
#import "order.h"

@interface NSApplication (Missing)
@end

@implementation NSApplication (Missing)
// Every application with a window is a regular one here.
- (BOOL)setActivationPolicy:(NSInteger)policy {
    note_step(@"set policy", NULL);
    return policy == 0;
}
@end
