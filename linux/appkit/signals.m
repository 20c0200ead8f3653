// GNUstep's backend makes signals choose Quit. On a Mac a signal is what the program itself has made of it.
#import <AppKit/AppKit.h>
#import <objc/runtime.h>
#import <signal.h>

static IMP original_init;

// The first that needs the backend.
static id init_with_signals_kept(id self, SEL selector) {
    struct sigaction before[NSIG];
    BOOL known[NSIG] = {NO};
    for (int number = 1; number < NSIG; number++) known[number] = sigaction(number, NULL, &before[number]) == 0;
    self = ((id (*)(id, SEL))original_init)(self, selector);
    for (int number = 1; number < NSIG; number++) {
        if (known[number]) sigaction(number, &before[number], NULL);
    }
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
