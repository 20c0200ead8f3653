#import <Foundation/Foundation.h>
#import <dispatch/dispatch.h>
#import <pthread.h>

/// The way from a process, a device or a thread to its machine without keeping the machine alive. This runtime has no
/// weak references, so the machine's reference count is kept here, under the lock that reading the reference takes.
@interface MachineLink : NSObject {
    pthread_mutex_t _lock;
    NSUInteger _references;
    id _machine;
    dispatch_queue_t _queue;
}
- (id)initWithMachine:(id)machine queue:(dispatch_queue_t)queue;
@property(readonly) dispatch_queue_t queue;
/// The machine with a reference of the caller's, or nil when it has gone.
- (id)copyMachine;
- (void)retainMachine;
/// YES when that was the last reference.
- (BOOL)releaseMachine;
- (NSUInteger)references;
@end
