#import <Foundation/Foundation.h>
#import <Block.h>
#import <dispatch/dispatch.h>
#import <pthread.h>
#import <semaphore.h>
#import <stdbool.h>

@class OS_dispatch_queue;
struct item;

// A queue's insides, apart from the object because its thread needs them after the last reference has gone.
struct lane {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    char *label;
    OS_dispatch_queue *queue;
    struct item *first, **last;
    bool busy, closed, threaded;
    void (*wake_main)(void); // the main queue's only: tells the main thread that there is work
};

@interface OS_dispatch_queue : NSObject <OS_dispatch_queue> {
  @public
    struct lane *_lane;
}
- (id)initWithLabel:(const char *)label;
@end

bool dispatch_is_main_thread(void);
void dispatch_lane_drain_main(struct lane *lane);
