// GNUstep's backend makes SIGTERM choose Quit. On a Mac a signal is what the program itself has made of it.
#import <AppKit/AppKit.h>
#import <objc/runtime.h>
#import <signal.h>

static IMP original_init;

// The first that needs the backend.
static id init_with_signals_kept(id self, SEL selector) {
    struct sigaction before;
    sigaction(SIGTERM, NULL, &before);
    self = ((id (*)(id, SEL))original_init)(self, selector);
    sigaction(SIGTERM, &before, NULL);
    return self;
}

@interface AppKitSignals : NSObject
@end

@implementation AppKitSignals

+ (void)load {
    Method init = class_getInstanceMethod(objc_getClass("NSApplication"), @selector(init));
    original_init = method_setImplementation(init, (IMP)init_with_signals_kept);
}

@end
