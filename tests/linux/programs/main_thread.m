// Does with a window what a Mac lets the main thread only do, and says what happens: there, then on another thread.
#import <AppKit/AppKit.h>

static NSWindow *window;

static void attempt(NSString *what, void (^deed)(void)) {
    NSString *end = @"well";
    @try {
        deed();
    } @catch (NSException *exception) {
        end = [NSString stringWithFormat:@"%@: %@", [exception name], [exception reason]];
    }
    printf("%s: %s\n", [what UTF8String], [end UTF8String]);
}

@interface Deeds : NSObject
@end

@implementation Deeds
+ (void)attempt:(NSConditionLock *)done {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    attempt(@"make", ^{
      NSRect frame = NSMakeRect(0, 0, 90, 90);
      NSWindow *made = [[NSWindow alloc] initWithContentRect:frame styleMask:0 backing:NSBackingStoreBuffered defer:NO];
      if (!window) window = made;
    });
    attempt(@"size", ^{
      [window setContentSize:NSMakeSize(60, 60)];
    });
    attempt(@"show", ^{
      [window makeKeyAndOrderFront:nil];
    });
    attempt(@"event", ^{
      [NSApp nextEventMatchingMask:NSAnyEventMask untilDate:[NSDate date] inMode:NSDefaultRunLoopMode dequeue:NO];
    });
    [done lock];
    [done unlockWithCondition:1];
    [pool release];
}
@end

int main(int argc, char **argv) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    [NSApplication sharedApplication];
    [Deeds attempt:nil];
    NSConditionLock *done = [[NSConditionLock alloc] initWithCondition:0];
    [NSThread detachNewThreadSelector:@selector(attempt:) toTarget:[Deeds class] withObject:done];
    [done lockWhenCondition:1];
    [done unlock];
    [pool release];
    return 0;
}
