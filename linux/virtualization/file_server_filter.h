#include <linux/filter.h>

/* Over the system calls of a virtiofsd. It works as the user that runs the machine, whatever users and groups the guest
   has: files that the guest makes are that user's, and changing that has no effect, as with Apple's. It makes no device
   nodes. Read-only, it changes nothing. */
struct sock_fprog file_server_filter(int read_only);
