#ifndef MACOS_VERSION_H
#define MACOS_VERSION_H

/* The version of macOS that the library claims to be: $VIRTUALIZATION_MACOS, else the one whose SDK it equals. */
const char *macos_version(void);
/* Whether that is at least this one. */
int macos_is_at_least(int major, int minor);

#endif
