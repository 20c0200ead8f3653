// Serial queues. A queue's work runs on one thread at a time: its own, which is made at the first asynchronous item
// and then sleeps on a condition, or that of a caller of dispatch_sync, to which the queue is handed over in its turn.
// The main queue's work runs on the process's main thread only (main_queue.m).
#import "queue.h"
#import <signal.h>
#import <stdio.h>
#import <stdlib.h>
#import <string.h>

struct item {
    struct item *next;
    dispatch_function_t function;
    void *context;
    sem_t *turn; // of a thread that waits in dispatch_sync; it then runs its work itself
};

// The queues that this thread is on now, innermost first.
struct frame {
    struct frame *outer;
    struct lane *lane;
};
static __thread struct frame *frames;

static void crash(const char *what, const char *label) {
    fprintf(stderr, "BUG IN CLIENT OF LIBDISPATCH: %s [%s]\n", what, label);
    abort();
}

static bool is_on(struct lane *lane) {
    for (struct frame *frame = frames; frame; frame = frame->outer) {
        if (frame->lane == lane) return true;
    }
    return lane->wake_main && dispatch_is_main_thread();
}

static void run(struct lane *lane, dispatch_function_t function, void *context) {
    struct frame frame = {frames, lane};
    frames = &frame;
    GSRegisterCurrentThread();
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    function(context);
    [pool release];
    frames = frame.outer;
}

static struct item *take(struct lane *lane) {
    struct item *item = lane->first;
    lane->first = item->next;
    if (!lane->first) lane->last = &lane->first;
    return item;
}

// With the lock held: whoever runs the queue's work goes on with it.
static void kick(struct lane *lane);

static void finish(struct lane *lane) {
    pthread_mutex_lock(&lane->lock);
    lane->busy = false;
    if (lane->first) kick(lane);
    pthread_mutex_unlock(&lane->lock);
}

static void free_lane(struct lane *lane) {
    pthread_mutex_destroy(&lane->lock);
    pthread_cond_destroy(&lane->changed);
    free(lane->label);
    free(lane);
}

static void *thread_main(void *argument) {
    struct lane *lane = argument;
    char name[16];
    snprintf(name, sizeof name, "%s", lane->label);
    pthread_setname_np(pthread_self(), name);
    GSRegisterCurrentThread();
    pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (lane->first ? lane->busy : !lane->closed) pthread_cond_wait(&lane->changed, &lane->lock);
        if (!lane->first) break;
        struct item *item = take(lane);
        lane->busy = true;
        if (item->turn) {
            sem_post(item->turn); // the item is on the waiter's stack: gone from here on
            continue;
        }
        pthread_mutex_unlock(&lane->lock);
        OS_dispatch_queue *queue = lane->queue;
        run(lane, item->function, item->context);
        free(item);
        pthread_mutex_lock(&lane->lock);
        lane->busy = false;
        pthread_mutex_unlock(&lane->lock);
        [queue release]; // the last reference may be this one: it closes the lane, which lives until below
        pthread_mutex_lock(&lane->lock);
    }
    pthread_mutex_unlock(&lane->lock);
    free_lane(lane);
    GSUnregisterCurrentThread();
    return NULL;
}

static void start_thread(struct lane *lane) {
    // Signals are for the client's own threads.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int failure = pthread_create(&thread, NULL, thread_main, lane);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure) crash(strerror(failure), lane->label);
    pthread_detach(thread);
    lane->threaded = true;
}

static void kick(struct lane *lane) {
    if (lane->wake_main) {
        lane->wake_main();
    } else if (lane->threaded) {
        pthread_cond_signal(&lane->changed);
    } else {
        start_thread(lane);
    }
}

static void append(struct lane *lane, struct item *item) {
    item->next = NULL;
    *lane->last = item;
    lane->last = &item->next;
    if (!lane->busy) kick(lane);
}

void dispatch_lane_drain_main(struct lane *lane) {
    pthread_mutex_lock(&lane->lock);
    while (lane->first && !lane->busy) {
        struct item *item = take(lane);
        lane->busy = true;
        pthread_mutex_unlock(&lane->lock);
        run(lane, item->function, item->context);
        sem_t *turn = item->turn;
        if (turn) {
            sem_post(turn);
        } else {
            free(item);
        }
        pthread_mutex_lock(&lane->lock);
        lane->busy = false;
    }
    pthread_mutex_unlock(&lane->lock);
}

@implementation OS_dispatch_queue

- (id)initWithLabel:(const char *)label {
    self = [super init];
    if (!self) return nil;
    _lane = calloc(1, sizeof *_lane);
    _lane->label = strdup(label ? label : "");
    _lane->last = &_lane->first;
    _lane->queue = self;
    pthread_mutex_init(&_lane->lock, NULL);
    pthread_cond_init(&_lane->changed, NULL);
    return self;
}

- (void)dealloc {
    pthread_mutex_lock(&_lane->lock);
    _lane->closed = true;
    bool threaded = _lane->threaded;
    if (threaded) pthread_cond_signal(&_lane->changed);
    pthread_mutex_unlock(&_lane->lock);
    if (!threaded) free_lane(_lane);
    [super dealloc];
}

@end

dispatch_queue_t dispatch_queue_create(const char *label, dispatch_queue_attr_t attribute) {
    return (dispatch_queue_t)[[OS_dispatch_queue alloc] initWithLabel:label];
}

static struct lane *lane_of(dispatch_queue_t queue) {
    return ((OS_dispatch_queue *)queue)->_lane;
}

const char *dispatch_queue_get_label(dispatch_queue_t queue) {
    return lane_of(queue)->label;
}

void dispatch_retain(dispatch_object_t object) {
    [object retain];
}

void dispatch_release(dispatch_object_t object) {
    [object release];
}

void dispatch_assert_queue(dispatch_queue_t queue) {
    struct lane *lane = lane_of(queue);
    if (!is_on(lane)) crash("Assertion failed: Block was expected to execute on queue", lane->label);
}

void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    struct lane *lane = lane_of(queue);
    struct item *item = malloc(sizeof *item);
    *item = (struct item){NULL, work, context, NULL};
    [queue retain]; // work that waits keeps its queue alive
    pthread_mutex_lock(&lane->lock);
    append(lane, item);
    pthread_mutex_unlock(&lane->lock);
}

void dispatch_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work) {
    struct lane *lane = lane_of(queue);
    if (is_on(lane)) crash("dispatch_sync called on queue already owned by current thread", lane->label);
    [queue retain];
    pthread_mutex_lock(&lane->lock);
    bool idle = !lane->busy && !lane->first && !lane->wake_main;
    sem_t turn;
    if (idle) {
        lane->busy = true;
        pthread_mutex_unlock(&lane->lock);
    } else {
        sem_init(&turn, 0, 0);
        struct item item = {NULL, work, context, &turn};
        append(lane, &item);
        pthread_mutex_unlock(&lane->lock);
        while (sem_wait(&turn) != 0) {} // a signal's handler ran
        sem_destroy(&turn);
    }
    if (!lane->wake_main) {
        run(lane, work, context);
        finish(lane);
    }
    [queue release];
}

static void run_block(void *block) {
    ((dispatch_block_t)block)();
}

static void run_and_release_block(void *block) {
    ((dispatch_block_t)block)();
    Block_release(block);
}

void dispatch_async(dispatch_queue_t queue, dispatch_block_t block) {
    dispatch_async_f(queue, Block_copy(block), run_and_release_block);
}

void dispatch_sync(dispatch_queue_t queue, dispatch_block_t block) {
    dispatch_sync_f(queue, block, run_block);
}
