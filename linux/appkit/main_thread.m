// A Mac's AppKit makes windows on the main thread only; GNUstep's does not look.
#import <AppKit/AppKit.h>
#import <objc/runtime.h>
#import "order.h"

static IMP original_init, original_init_on_screen;

static void require_main_thread(void) {
    if ([NSThread isMainThread]) return;
    [NSException raise:NSInternalInconsistencyException format:@"NSWindow should only be instantiated on the main thread!"];
}

typedef id (*init)(id, SEL, NSRect, NSUInteger, NSBackingStoreType, BOOL);
typedef id (*init_on_screen)(id, SEL, NSRect, NSUInteger, NSBackingStoreType, BOOL, NSScreen *);

static id new_init(id self, SEL selector, NSRect rect, NSUInteger style, NSBackingStoreType backing, BOOL defer) {
    require_main_thread();
    note_step(@"make window", __builtin_return_address(0));
    return ((init)original_init)(self, selector, rect, style, backing, defer);
}

static id new_init_on_screen(id self, SEL selector, NSRect rect, NSUInteger style, NSBackingStoreType backing, BOOL defer,
                             NSScreen *screen) {
    require_main_thread();
    return ((init_on_screen)original_init_on_screen)(self, selector, rect, style, backing, defer, screen);
}

static IMP replace(SEL selector, IMP implementation) {
    return method_setImplementation(class_getInstanceMethod(objc_getClass("NSWindow"), selector), implementation);
}

@interface MainThreadOnly : NSObject
@end

@implementation MainThreadOnly

+ (void)load {
    original_init = replace(@selector(initWithContentRect:styleMask:backing:defer:), (IMP)new_init);
    original_init_on_screen = replace(@selector(initWithContentRect:styleMask:backing:defer:screen:), (IMP)new_init_on_screen);
}

@end
