#include <stdbool.h>

/* Whether KVM runs guests here. Asked of the hardware once a process. */
bool kvm_works(void);
