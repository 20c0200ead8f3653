#import "queue.h"

enum { untouched, running, done };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

void dispatch_once_f(dispatch_once_t *predicate, void *context, dispatch_function_t function) {
    if (__atomic_load_n(predicate, __ATOMIC_ACQUIRE) == done) return;
    pthread_mutex_lock(&lock);
    while (*predicate == running) pthread_cond_wait(&changed, &lock);
    if (*predicate == untouched) {
        *predicate = running;
        pthread_mutex_unlock(&lock);
        function(context);
        pthread_mutex_lock(&lock);
        __atomic_store_n(predicate, done, __ATOMIC_RELEASE);
        pthread_cond_broadcast(&changed);
    }
    pthread_mutex_unlock(&lock);
}

static void run_block(void *block) {
    ((dispatch_block_t)block)();
}

void dispatch_once(dispatch_once_t *predicate, dispatch_block_t block) {
    dispatch_once_f(predicate, block, run_block);
}
