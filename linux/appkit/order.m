// What a program does with AppKit before it has finished launching, a Mac takes amiss: whoever activates then has a dead
// menu bar, and a policy that is set after a window puts that on the wrong Space. Here nothing of it can be seen, so the
// order is written to the file $VIRTUALIZATION_APPKIT_ORDER, a line for each step.
#import <AppKit/AppKit.h>
#import <fcntl.h>
#import <objc/runtime.h>
#import <unistd.h>
#import "library_of.h"
#import "order.h"

static IMP original_activate;

void note_step(NSString *step, const void *caller) {
    if (caller && library_of(caller) == library_of((void *)original_activate)) return;
    const char *path = getenv("VIRTUALIZATION_APPKIT_ORDER");
    int file = path && *path ? open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666) : -1;
    if (file < 0) return;
    dprintf(file, "%s\n", [step UTF8String]);
    close(file);
}

static void activate(id self, SEL selector, BOOL ignoringOthers) {
    note_step(@"activate", __builtin_return_address(0));
    ((void (*)(id, SEL, BOOL))original_activate)(self, selector, ignoringOthers);
}

@interface LaunchWatcher : NSObject
@end

@implementation LaunchWatcher

+ (void)load {
    Method method = class_getInstanceMethod(objc_getClass("NSApplication"), @selector(activateIgnoringOtherApps:));
    original_activate = method_setImplementation(method, (IMP)activate);
    // Before any delegate, which is told in the order of the observers.
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    NSNotificationCenter *center = [NSNotificationCenter defaultCenter];
    [center addObserver:self selector:@selector(note:) name:NSApplicationWillFinishLaunchingNotification object:nil];
    [center addObserver:self selector:@selector(note:) name:NSApplicationDidFinishLaunchingNotification object:nil];
    [pool release];
}

+ (void)note:(NSNotification *)notification {
    BOOL will = [[notification name] isEqual:NSApplicationWillFinishLaunchingNotification];
    note_step(will ? @"will finish launching" : @"did finish launching", NULL);
}

@end
