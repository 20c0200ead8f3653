// Where <errno.h> of macOS has the error number of the calling thread.
#include <errno.h>

int *__error(void) {
    return __errno_location();
}
