// A Mac's AppKit makes, changes and shows windows, and takes events, on the main thread only; GNUstep's does not look.
#import <AppKit/AppKit.h>
#import <objc/runtime.h>
#import "order.h"

static IMP original_init, original_init_on_screen, original_set_frame, original_order, original_next_event;

static void require_main_thread(NSString *sentence) {
    if (![NSThread isMainThread]) [NSException raise:NSInternalInconsistencyException format:@"%@", sentence];
}

static void require_main_thread_to_make(void) {
    require_main_thread(@"NSWindow should only be instantiated on the main thread!");
}

typedef id (*init)(id, SEL, NSRect, NSUInteger, NSBackingStoreType, BOOL);
typedef id (*init_on_screen)(id, SEL, NSRect, NSUInteger, NSBackingStoreType, BOOL, NSScreen *);
typedef void (*set_frame)(id, SEL, NSRect, BOOL);
typedef void (*order)(id, SEL, NSWindowOrderingMode, NSInteger);
typedef NSEvent *(*next_event)(id, SEL, NSUInteger, NSDate *, NSString *, BOOL);

static id new_init(id self, SEL selector, NSRect rect, NSUInteger style, NSBackingStoreType backing, BOOL defer) {
    require_main_thread_to_make();
    note_step(@"make window", __builtin_return_address(0));
    return ((init)original_init)(self, selector, rect, style, backing, defer);
}

static id new_init_on_screen(id self, SEL selector, NSRect rect, NSUInteger style, NSBackingStoreType backing, BOOL defer,
                             NSScreen *screen) {
    require_main_thread_to_make();
    return ((init_on_screen)original_init_on_screen)(self, selector, rect, style, backing, defer, screen);
}

static void new_set_frame(id self, SEL selector, NSRect frame, BOOL display) {
    require_main_thread(@"NSWindow geometry should only be modified on the main thread!");
    ((set_frame)original_set_frame)(self, selector, frame, display);
}

static void new_order(id self, SEL selector, NSWindowOrderingMode place, NSInteger otherWindow) {
    require_main_thread(@"NSWindow drag regions should only be invalidated on the Main Thread!");
    ((order)original_order)(self, selector, place, otherWindow);
}

static NSEvent *new_next_event(id self, SEL selector, NSUInteger mask, NSDate *expiration, NSString *mode, BOOL dequeue) {
    require_main_thread(@"nextEventMatchingMask should only be called from the Main Thread!");
    return ((next_event)original_next_event)(self, selector, mask, expiration, mode, dequeue);
}

static IMP replace(const char *name, SEL selector, IMP implementation) {
    return method_setImplementation(class_getInstanceMethod(objc_getClass(name), selector), implementation);
}

@interface MainThreadOnly : NSObject
@end

@implementation MainThreadOnly

+ (void)load {
    original_init = replace("NSWindow", @selector(initWithContentRect:styleMask:backing:defer:), (IMP)new_init);
    original_init_on_screen =
        replace("NSWindow", @selector(initWithContentRect:styleMask:backing:defer:screen:), (IMP)new_init_on_screen);
    original_set_frame = replace("NSWindow", @selector(setFrame:display:), (IMP)new_set_frame);
    original_order = replace("NSWindow", @selector(orderWindow:relativeTo:), (IMP)new_order);
    original_next_event =
        replace("NSApplication", @selector(nextEventMatchingMask:untilDate:inMode:dequeue:), (IMP)new_next_event);
}

@end
