/* The part of libdispatch that Virtualization's clients use: serial queues, the main queue, semaphores, once. */
#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

#include <stdint.h>

#ifdef __OBJC__
#import <Foundation/NSObject.h>
@protocol OS_dispatch_queue
@end
@protocol OS_dispatch_semaphore
@end
typedef NSObject<OS_dispatch_queue> *dispatch_queue_t;
typedef NSObject<OS_dispatch_queue> *dispatch_queue_attr_t;
typedef NSObject<OS_dispatch_semaphore> *dispatch_semaphore_t;
typedef id dispatch_object_t;
#else
typedef struct dispatch_queue_s *dispatch_queue_t;
typedef struct dispatch_queue_attr_s *dispatch_queue_attr_t;
typedef struct dispatch_semaphore_s *dispatch_semaphore_t;
typedef void *dispatch_object_t;
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef void (*dispatch_function_t)(void *context);
typedef uint64_t dispatch_time_t;
typedef long dispatch_once_t;

#define NSEC_PER_SEC 1000000000ull
#define NSEC_PER_MSEC 1000000ull
#define DISPATCH_TIME_NOW (0ull)
#define DISPATCH_TIME_FOREVER (~0ull)
#define DISPATCH_QUEUE_SERIAL ((dispatch_queue_attr_t)0)

struct dispatch_queue_s;
extern struct dispatch_queue_s _dispatch_main_q;
static inline dispatch_queue_t dispatch_get_main_queue(void) {
    return (dispatch_queue_t)(void *)&_dispatch_main_q;
}

dispatch_queue_t dispatch_queue_create(const char *label, dispatch_queue_attr_t attribute);
const char *dispatch_queue_get_label(dispatch_queue_t queue);
void dispatch_async_f(dispatch_queue_t queue, void *context, dispatch_function_t work);
void dispatch_sync_f(dispatch_queue_t queue, void *context, dispatch_function_t work);
void dispatch_assert_queue(dispatch_queue_t queue);
void dispatch_main(void) __attribute__((noreturn));

void dispatch_retain(dispatch_object_t object);
void dispatch_release(dispatch_object_t object);

dispatch_time_t dispatch_time(dispatch_time_t when, int64_t nanoseconds);
dispatch_semaphore_t dispatch_semaphore_create(intptr_t value);
intptr_t dispatch_semaphore_wait(dispatch_semaphore_t semaphore, dispatch_time_t deadline);
intptr_t dispatch_semaphore_signal(dispatch_semaphore_t semaphore);

void dispatch_once_f(dispatch_once_t *predicate, void *context, dispatch_function_t function);

#ifdef __BLOCKS__
typedef void (^dispatch_block_t)(void);
void dispatch_async(dispatch_queue_t queue, dispatch_block_t block);
void dispatch_sync(dispatch_queue_t queue, dispatch_block_t block);
void dispatch_once(dispatch_once_t *predicate, dispatch_block_t block);
#endif

#ifdef __cplusplus
}
#endif
#endif
