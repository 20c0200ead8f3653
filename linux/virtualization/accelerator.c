/* /dev/kvm may exist, open, make machines, and then hang in the first instruction of every guest: in a virtual machine
   whose host does not pass virtualization on. So one instruction is run, in a process that can be killed. */
#include "accelerator.h"
#include <fcntl.h>
#include <linux/kvm.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { limit_ms = 1000 };

#if defined(__x86_64__)

static bool processor_can(void) {
    int file = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    /* The first processor's flags lie well within this. */
    char text[8192];
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    if (length <= 0) return false;
    text[length] = 0;
    return strstr(text, " vmx ") || strstr(text, " svm ");
}

static const uint32_t program = 0xf4; /* hlt */
enum { address = 0x1000 };

static bool set_up(int kvm, int machine, int processor) {
    (void)kvm, (void)machine;
    struct kvm_sregs special;
    struct kvm_regs general = {.rip = address, .rflags = 2};
    if (ioctl(processor, KVM_GET_SREGS, &special) < 0) return false;
    special.cs.base = 0;
    special.cs.selector = 0;
    return ioctl(processor, KVM_SET_SREGS, &special) == 0 && ioctl(processor, KVM_SET_REGS, &general) == 0;
}

enum { expected_exit = KVM_EXIT_HLT };

#elif defined(__aarch64__)

static bool processor_can(void) {
    return true;
}

static const uint32_t program = 0xd4000002; /* hvc #0 */
enum { address = 0x40000000 };

static bool set_register(int processor, uint64_t offset, uint64_t value) {
    struct kvm_one_reg one = {KVM_REG_ARM64 | KVM_REG_ARM_CORE | KVM_REG_SIZE_U64 | offset / 4, (uintptr_t)&value};
    return ioctl(processor, KVM_SET_ONE_REG, &one) == 0;
}

static bool set_up(int kvm, int machine, int processor) {
    (void)kvm;
    struct kvm_vcpu_init target;
    if (ioctl(machine, KVM_ARM_PREFERRED_TARGET, &target) < 0) return false;
    target.features[0] |= 1u << KVM_ARM_VCPU_PSCI_0_2;
    if (ioctl(processor, KVM_ARM_VCPU_INIT, &target) < 0) return false;
    const uint64_t system_off = 0x84000008;
    return set_register(processor, offsetof(struct kvm_regs, regs.pc), address) &&
           set_register(processor, offsetof(struct kvm_regs, regs.regs[0]), system_off);
}

enum { expected_exit = KVM_EXIT_SYSTEM_EVENT };

#endif

static bool run_one_instruction(void) {
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    int machine = ioctl(kvm, KVM_CREATE_VM, 0);
    if (kvm < 0 || machine < 0) return false;
    uint32_t *memory = mmap(NULL, 0x1000, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return false;
    memory[0] = program;
    struct kvm_userspace_memory_region region = {0, 0, address, 0x1000, (uintptr_t)memory};
    int processor = ioctl(machine, KVM_CREATE_VCPU, 0);
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (processor < 0 || size < 0 || ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) < 0) return false;
    struct kvm_run *run = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
    if (run == MAP_FAILED || !set_up(kvm, machine, processor)) return false;
    return ioctl(processor, KVM_RUN, 0) == 0 && run->exit_reason == expected_exit;
}

static bool probe(void) {
    if (!processor_can() || access("/dev/kvm", R_OK | W_OK) != 0) return false;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    pid_t child = fork();
    if (child == 0) _exit(run_one_instruction() ? 0 : 1);
    close(ends[1]);
    struct pollfd end = {ends[0], POLLIN, 0}; /* which the child's end hangs up */
    if (child > 0 && poll(&end, 1, limit_ms) != 1) kill(child, SIGKILL);
    close(ends[0]);
    if (child < 0) return false;
    int status;
    return waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool works;

static void ask(void) {
    works = probe();
}

bool kvm_works(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, ask);
    return works;
}

static bool is_set(const char *parameter) {
    int file = open(parameter, O_RDONLY | O_CLOEXEC);
    char value = 'N';
    if (file < 0) return false;
    bool known = read(file, &value, 1) == 1;
    close(file);
    return known && (value == 'Y' || value == '1');
}

bool kvm_can_nest(void) {
    return is_set("/sys/module/kvm_intel/parameters/nested") || is_set("/sys/module/kvm_amd/parameters/nested");
}
