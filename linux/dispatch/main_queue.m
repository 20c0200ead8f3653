// The main queue. Its work runs on the process's main thread, when that is in a run loop or in dispatch_main.
#import "queue.h"
#import <errno.h>
#import <objc/runtime.h>
#import <poll.h>
#import <stdio.h>
#import <stdlib.h>
#import <string.h>
#import <sys/eventfd.h>
#import <sys/syscall.h>
#import <unistd.h>

static int wake_descriptor, wake_failure;

static void wake_main(void) {
    if (eventfd_write(wake_descriptor, 1) == 0 || errno == EAGAIN) return; // EAGAIN: it is awake
    fprintf(stderr, "The main queue cannot be woken: eventfd: %s\n", strerror(wake_failure ? wake_failure : errno));
    abort();
}

static struct lane main_lane = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .label = "com.apple.main-thread",
    .wake_main = wake_main,
};

// dispatch_get_main_queue() is an inline function over this symbol's address: the object itself has to lie there.
struct dispatch_queue_s {
    Class isa;
    struct lane *lane;
} _dispatch_main_q = {Nil, &main_lane};

// NSThread's main thread is the one that used Foundation first, which need not be the process's.
bool dispatch_is_main_thread(void) {
    return syscall(SYS_gettid) == getpid();
}

static void drain(void) {
    eventfd_t count;
    eventfd_read(wake_descriptor, &count);
    dispatch_lane_drain_main(&main_lane);
}

@interface MainQueueWatcher : NSObject <RunLoopEvents>
@end

@implementation MainQueueWatcher
- (void)receivedEvent:(void *)data type:(RunLoopEventType)type extra:(void *)extra forMode:(NSString *)mode {
    drain();
}
@end

// A Mac's main run loop serves the main queue without being told. Here the loop is given a watcher of the queue
// when the main thread first asks for it, which is the only way to get one to run.
static IMP original_currentRunLoop;

static NSRunLoop *current_run_loop(id self, SEL selector) {
    static bool watched;
    NSRunLoop *loop = ((NSRunLoop * (*)(id, SEL)) original_currentRunLoop)(self, selector);
    if (!watched && loop && dispatch_is_main_thread()) {
        watched = true;
        MainQueueWatcher *watcher = [[MainQueueWatcher alloc] init];
        for (NSString *mode in @[NSDefaultRunLoopMode, @"NSModalPanelRunLoopMode", @"NSEventTrackingRunLoopMode"]) {
            [loop addEvent:(void *)(intptr_t)wake_descriptor type:ET_RDESC watcher:watcher forMode:mode];
        }
    }
    return loop;
}

static IMP original_mainRunLoop;

static NSRunLoop *main_run_loop(id self, SEL selector) {
    if (dispatch_is_main_thread()) return [NSRunLoop currentRunLoop];
    return ((NSRunLoop * (*)(id, SEL)) original_mainRunLoop)(self, selector);
}

// Without a message to the class, which is for later: see objc/surroundings.m.
static IMP replace(SEL selector, IMP implementation) {
    return method_setImplementation(class_getClassMethod(objc_getClass("NSRunLoop"), selector), implementation);
}

@interface OS_dispatch_queue_main : OS_dispatch_queue
@end

@implementation OS_dispatch_queue_main

+ (void)load {
    wake_descriptor = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (wake_descriptor < 0) wake_failure = errno;
    main_lane.last = &main_lane.first;
    main_lane.queue = (OS_dispatch_queue *)&_dispatch_main_q;
    _dispatch_main_q.isa = self;
    original_currentRunLoop = replace(@selector(currentRunLoop), (IMP)current_run_loop);
    original_mainRunLoop = replace(@selector(mainRunLoop), (IMP)main_run_loop);
}

- (id)retain {
    return self;
}

- (oneway void)release {
}

- (id)autorelease {
    return self;
}

- (NSUInteger)retainCount {
    return NSUIntegerMax;
}

@end

void dispatch_main(void) {
    if (!dispatch_is_main_thread()) {
        fprintf(stderr, "BUG IN CLIENT OF LIBDISPATCH: dispatch_main() must be called on the main thread\n");
        abort();
    }
    struct pollfd wake = {wake_descriptor, POLLIN, 0};
    for (;;) {
        if (poll(&wake, 1, -1) > 0) drain();
    }
}
