#include <stddef.h>

/* Fills memory with random bytes of the kernel's, or ends the process when it gives none. */
void fill_randomly(void *bytes, size_t length);
