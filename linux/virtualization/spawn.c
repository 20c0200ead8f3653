#include "spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <linux/seccomp.h>
#include <unistd.h>

extern char **environ;

enum { stack_size = 64 * 1024 };

struct spawn {
    const char *path;
    char *const *arguments;
    const int *descriptors;
    int count;
    const struct confinement *confinement;
    pid_t parent;
    char user_map[32], group_map[32];
    const char *step;
    int failure;
};

static int write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return errno;
    ssize_t length = (ssize_t)strlen(text);
    int failure = write(file, text, (size_t)length) == length ? 0 : errno;
    close(file);
    return failure;
}

static int become_root_of_own(struct spawn *spawn) {
    spawn->step = "the system lets a plain user set up no user namespace, which sharing needs: ";
    int failure = write_file("/proc/self/setgroups", "deny");
    if (!failure) failure = write_file("/proc/self/uid_map", spawn->user_map);
    if (!failure) failure = write_file("/proc/self/gid_map", spawn->group_map);
    return failure;
}

static int confine(struct spawn *spawn) {
    const struct confinement *confinement = spawn->confinement;
    int failure = confinement->own_users ? become_root_of_own(spawn) : 0;
    if (failure) return failure;
    if (confinement->folders) {
        spawn->step = "its folders could not be put together: ";
        failure = open_own_folders(confinement->folders, confinement->folders_number);
        if (failure) return failure;
    }
    /* A file server has a descriptor for each file that its client has ever heard of. */
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    spawn->step = "its system calls could not be limited: ";
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &confinement->filter) != 0) return errno;
    spawn->step = "";
    return 0;
}

static int become(struct spawn *spawn) {
    spawn->step = "prctl: ";
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
    spawn->step = "";
    if (getppid() != spawn->parent) _exit(1);
    /* Above every number in the program, so that putting one descriptor in its place never overwrites another. */
    int sources[spawn->count];
    for (int i = 0; i < spawn->count; i++) {
        sources[i] = fcntl(spawn->descriptors[i], F_DUPFD, spawn->count);
        if (sources[i] < 0) return errno == EINVAL ? EMFILE : errno;
    }
    for (int i = 0; i < spawn->count; i++) {
        spawn->step = "dup2: ";
        if (dup2(sources[i], i) < 0) return errno;
        spawn->step = "";
    }
    if (syscall(SYS_close_range, spawn->count, ~0u, 0) != 0) {
        for (int i = spawn->count; i < 4096; i++) close(i);
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
    int failure = spawn->confinement ? confine(spawn) : 0;
    if (failure) return failure;
    execve(spawn->path, spawn->arguments, environ);
    return errno;
}

/* Runs in the parent's memory while the parent's thread is stopped: system calls only. */
static int child_main(void *argument) {
    struct spawn *spawn = argument;
    spawn->failure = become(spawn);
    _exit(127);
}

int spawn_bound(const char *path, char *const arguments[], const int *descriptors, int count,
                const struct confinement *confinement, pid_t *pid, const char **step) {
    struct spawn spawn = {path, arguments, descriptors, count, confinement, getpid(), "", "", "", 0};
    snprintf(spawn.user_map, sizeof spawn.user_map, "0 %u 1", geteuid());
    snprintf(spawn.group_map, sizeof spawn.group_map, "0 %u 1", getegid());
    int own_users = confinement && confinement->own_users;
    if (own_users) spawn.step = "the system lets a plain user make no user namespace, which sharing needs: ";
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    /* As vfork, because a fork would copy the page tables of a large client; which has no flags for namespaces. */
    char stack[stack_size] __attribute__((aligned(16)));
    pid_t child = clone(child_main, stack + stack_size, CLONE_VM | CLONE_VFORK | SIGCHLD | (own_users ? CLONE_NEWUSER : 0),
                        &spawn);
    if (child < 0) {
        spawn.failure = errno;
        if (!own_users) spawn.step = "clone: ";
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    *pid = child;
    *step = spawn.step;
    return spawn.failure;
}
