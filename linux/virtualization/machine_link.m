#import "machine_link.h"

@implementation MachineLink

- (id)initWithMachine:(id)machine queue:(dispatch_queue_t)queue {
    self = [super init];
    if (!self) return nil;
    pthread_mutex_init(&_lock, NULL);
    _references = 1;
    _machine = machine;
    _queue = [queue retain];
    return self;
}

- (void)dealloc {
    pthread_mutex_destroy(&_lock);
    [_queue release];
    [super dealloc];
}

- (dispatch_queue_t)queue {
    return _queue;
}

- (id)copyMachine {
    pthread_mutex_lock(&_lock);
    if (_machine) _references++;
    id machine = _machine;
    pthread_mutex_unlock(&_lock);
    return machine;
}

- (void)retainMachine {
    pthread_mutex_lock(&_lock);
    _references++;
    pthread_mutex_unlock(&_lock);
}

- (BOOL)releaseMachine {
    pthread_mutex_lock(&_lock);
    BOOL last = --_references == 0;
    if (last) _machine = nil;
    pthread_mutex_unlock(&_lock);
    return last;
}

- (NSUInteger)references {
    pthread_mutex_lock(&_lock);
    NSUInteger references = _references;
    pthread_mutex_unlock(&_lock);
    return references;
}

@end
