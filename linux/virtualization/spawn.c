#include "spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

extern char **environ;

/* Runs in the parent's memory while the parent's thread is stopped: system calls only. */
static int become(const char *path, char *const arguments[], const int *descriptors, int count, pid_t parent) {
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    if (getppid() != parent) _exit(1);
    for (int i = 0; i < count; i++) {
        if (dup2(descriptors[i], i) < 0) return errno;
    }
    if (syscall(SYS_close_range, count, ~0u, 0) != 0) {
        for (int i = count; i < 4096; i++) close(i);
    }
    /* A handler of the parent's must not run here. */
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;
        if (sigaction(number, NULL, &action) != 0 || action.sa_handler == SIG_IGN) continue;
        action.sa_handler = SIG_DFL;
        action.sa_flags = 0;
        sigaction(number, &action, NULL);
    }
    /* These reach the whole process group: from a terminal's Ctrl-C or hang-up, from timeout(1). They are the client's
       to answer. Leaving the group instead would take the terminal away from a guest that reads it. */
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    sigaddset(&blocked, SIGQUIT);
    sigaddset(&blocked, SIGTERM);
    sigprocmask(SIG_SETMASK, &blocked, NULL);
    execve(path, arguments, environ);
    return errno;
}

int spawn_bound(const char *path, char *const arguments[], const int *descriptors, int count, pid_t *pid) {
    volatile int failure = 0;
    pid_t parent = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t child = vfork(); /* a fork would copy the page tables of a large client */
    if (child == 0) {
        failure = become(path, arguments, descriptors, count, parent);
        _exit(127);
    }
    if (child < 0) failure = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *pid = child;
    return failure;
}
