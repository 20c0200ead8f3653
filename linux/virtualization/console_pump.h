#import <Foundation/Foundation.h>
#import <pthread.h>

/// Carries what a guest's consoles print to what the client wants it in, on a thread of its own, and waits there when
/// nobody takes it: QEMU, whose main loop would wait else, never does. When a console is full the guest has to stand
/// still until it is not. All descriptors are non-blocking or taken so, without a change to those that are the client's.
@interface ConsolePump : NSObject {
    struct outlet *_outlets;
    struct inlet *_inlets;
    int _outletCount, _inletCount;
    void (^_onFull)(BOOL full);
    BOOL _started, _full, _finishing;
    int _wake[2];
    pthread_t _thread;
}
/// Hands both over. @param source A pipe from QEMU.
- (void)addOutletFrom:(int)source to:(int)sink;
/// What is typed, where the same descriptor of the client's is both a port's input and its output. Hands both over.
/// @param sink A pipe to QEMU.
- (void)addInletFrom:(int)source to:(int)sink;
/// @param onFull Is called on the pump's thread when the guest has to stand still, and when it need not any more.
/// @return 0, or errno when it has not started.
- (int)startWithOnFull:(void (^)(BOOL full))onFull;
/// After QEMU's end. Returns when everything has been taken, or nothing was for a while.
- (void)finish;
@end
