#include "file_server_filter.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define ANSWER(value) BPF_STMT(BPF_RET | BPF_K, value)
#define ERROR(number) ANSWER(SECCOMP_RET_ERRNO | (number))
#define ON_CALL(name, answer) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), answer

/* Arguments are read by their lower half: flags of open(2) have 32 bits. */
#define UNLESS_FOR_READING(flags)                                                                                      \
    LOAD(flags), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_WRONLY | O_RDWR | O_CREAT | O_TRUNC, 0, 1), ERROR(EROFS),       \
        ANSWER(SECCOMP_RET_ALLOW)

#define START                                                                                                          \
    LOAD(arch), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0), ANSWER(SECCOMP_RET_KILL_PROCESS), LOAD(nr),    \
        /* Before each request it becomes the guest's user, which the host need not have. */                           \
        SUCCEEDS(setresuid), SUCCEEDS(setresgid), SUCCEEDS(setgroups)

/* What only this processor has, each with a comma behind it: the calls of before there were folders' descriptors, and a
   second table of all calls. */
#ifdef __x86_64__
#define OLD_CALLS(ON)                                                                                                  \
    ON(creat), ON(mkdir), ON(mknod), ON(symlink), ON(link), ON(rename), ON(unlink), ON(rmdir), ON(chmod), ON(utime),   \
        ON(utimes), ON(futimesat),
#define OLD_OWNER_CALLS(ON) ON(chown), ON(lchown),
#define OLD_OPEN BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 4), UNLESS_FOR_READING(args[1]),
#define NO_SECOND_TABLE BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1), ERROR(ENOSYS),
#else
#define OLD_CALLS(ON)
#define OLD_OWNER_CALLS(ON)
#define OLD_OPEN
#define NO_SECOND_TABLE
#endif

/* Newer than some systems' headers. */
#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif
#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif
#ifndef SYS_removexattrat
#define SYS_removexattrat 466
#endif
#ifndef SYS_file_setattr
#define SYS_file_setattr 469
#endif

#define OWNER_CALLS(ON) OLD_OWNER_CALLS(ON) ON(fchownat), ON(fchown)
#define CHANGING_CALLS(ON)                                                                                             \
    OLD_CALLS(ON)                                                                                                      \
    ON(mkdirat), ON(mknodat), ON(symlinkat), ON(linkat), ON(renameat), ON(renameat2), ON(unlinkat), ON(fchmod),        \
        ON(fchmodat), ON(fchmodat2), ON(truncate), ON(ftruncate), ON(fallocate), ON(copy_file_range), ON(utimensat),   \
        ON(setxattr), ON(lsetxattr), ON(fsetxattr), ON(setxattrat), ON(removexattr), ON(lremovexattr),                 \
        ON(fremovexattr), ON(removexattrat), ON(file_setattr)

#define SUCCEEDS(name) ON_CALL(name, ERROR(0))
#define IS_REFUSED(name) ON_CALL(name, ERROR(EROFS))
#define IS_MISSING(name) ON_CALL(name, ERROR(ENOSYS))

/* The guest's root would otherwise get at the host's disks when the host's root runs the machine. */
#define NO_DEVICES                                                                                                     \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mknodat, 0, 6), LOAD(args[2]), BPF_STMT(BPF_ALU | BPF_AND | BPF_K, S_IFMT), \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, S_IFCHR, 1, 0), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, S_IFBLK, 0, 1),        \
        ERROR(EPERM), ANSWER(SECCOMP_RET_ALLOW)

static struct sock_filter changing[] = {
    START, NO_SECOND_TABLE
    OWNER_CALLS(SUCCEEDS),
    NO_DEVICES,
    ANSWER(SECCOMP_RET_ALLOW),
};

static struct sock_filter reading[] = {
    START, NO_SECOND_TABLE
    OWNER_CALLS(IS_REFUSED),
    CHANGING_CALLS(IS_REFUSED),
    /* Their arguments are out of sight. */
    IS_MISSING(openat2),
    IS_MISSING(io_uring_setup),
    OLD_OPEN
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 4),
    UNLESS_FOR_READING(args[2]),
    ANSWER(SECCOMP_RET_ALLOW),
};

struct sock_fprog file_server_filter(int read_only) {
    if (read_only) return (struct sock_fprog){sizeof reading / sizeof *reading, reading};
    return (struct sock_fprog){sizeof changing / sizeof *changing, changing};
}
