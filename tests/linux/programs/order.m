// A program that activates and makes its window before it has launched, or after.
#import <AppKit/AppKit.h>

@interface NSApplication (Mac)
- (BOOL)setActivationPolicy:(NSInteger)policy;
@end

static BOOL shown;

static void show(void) {
    shown = YES;
    [NSApp activateIgnoringOtherApps:YES];
    [[NSWindow alloc] initWithContentRect:NSMakeRect(0, 0, 9, 9) styleMask:0 backing:NSBackingStoreBuffered defer:YES];
}

@interface Launcher : NSObject
@end

@implementation Launcher
- (void)applicationDidFinishLaunching:(NSNotification *)notification {
    if (!shown) show();
    exit(0);
}
- (void)application:(NSApplication *)application openFiles:(NSArray *)files {
}
@end

int main(int argc, char **argv) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    [NSApplication sharedApplication];
    Launcher *launcher = [[Launcher alloc] init];
    [NSApp setActivationPolicy:0];
    [NSApp setDelegate:(id)launcher];
    if (strcmp(argv[1], "early") == 0) show();
    [NSApp run];
    [pool release];
    return 1;
}
