#include <stdbool.h>

/* Whether KVM runs guests here. Asked of the hardware once a process. */
bool kvm_works(void);
/* Whether a guest of KVM's can have guests itself. */
bool kvm_can_nest(void);
