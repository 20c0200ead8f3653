#import "queue.h"
#import <errno.h>
#import <time.h>

@interface OS_dispatch_semaphore : NSObject <OS_dispatch_semaphore> {
  @public
    pthread_mutex_t _lock;
    pthread_cond_t _raised;
    intptr_t _value, _waiting;
}
@end

@implementation OS_dispatch_semaphore

- (id)init {
    self = [super init];
    if (!self) return nil;
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&_raised, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&_lock, NULL);
    return self;
}

- (void)dealloc {
    pthread_cond_destroy(&_raised);
    pthread_mutex_destroy(&_lock);
    [super dealloc];
}

@end

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t nanoseconds) {
    if (when == DISPATCH_TIME_FOREVER) return when;
    if (when == DISPATCH_TIME_NOW) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        when = (dispatch_time_t)now.tv_sec * NSEC_PER_SEC + (dispatch_time_t)now.tv_nsec;
    }
    if (nanoseconds < 0) return when > (dispatch_time_t)-nanoseconds ? when + (dispatch_time_t)nanoseconds : 1;
    return when + (dispatch_time_t)nanoseconds < when ? DISPATCH_TIME_FOREVER : when + (dispatch_time_t)nanoseconds;
}

dispatch_semaphore_t dispatch_semaphore_create(intptr_t value) {
    if (value < 0) return nil;
    OS_dispatch_semaphore *semaphore = [[OS_dispatch_semaphore alloc] init];
    semaphore->_value = value;
    return (dispatch_semaphore_t)semaphore;
}

intptr_t dispatch_semaphore_wait(dispatch_semaphore_t object, dispatch_time_t deadline) {
    OS_dispatch_semaphore *semaphore = (OS_dispatch_semaphore *)object;
    struct timespec limit = {(time_t)(deadline / NSEC_PER_SEC), (long)(deadline % NSEC_PER_SEC)};
    int failure = 0;
    pthread_mutex_lock(&semaphore->_lock);
    semaphore->_waiting++;
    while (semaphore->_value == 0 && failure == 0) {
        failure = deadline == DISPATCH_TIME_FOREVER ? pthread_cond_wait(&semaphore->_raised, &semaphore->_lock)
                                                    : pthread_cond_timedwait(&semaphore->_raised, &semaphore->_lock, &limit);
    }
    semaphore->_waiting--;
    bool taken = semaphore->_value > 0;
    if (taken) semaphore->_value--;
    pthread_mutex_unlock(&semaphore->_lock);
    return taken ? 0 : ETIMEDOUT;
}

intptr_t dispatch_semaphore_signal(dispatch_semaphore_t object) {
    OS_dispatch_semaphore *semaphore = (OS_dispatch_semaphore *)object;
    pthread_mutex_lock(&semaphore->_lock);
    semaphore->_value++;
    intptr_t woken = semaphore->_waiting > 0;
    pthread_cond_signal(&semaphore->_raised);
    pthread_mutex_unlock(&semaphore->_lock);
    return woken;
}
