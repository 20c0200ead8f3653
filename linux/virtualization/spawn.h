#include <sys/types.h>

/* Starts a program that dies with the calling THREAD, whatever ends it: that thread has to wait for the program.
   The program gets descriptors[i] as its descriptor i and no others; each must be at least count.
   Returns 0, or errno. */
int spawn_bound(const char *path, char *const arguments[], const int *descriptors, int count, pid_t *pid);
