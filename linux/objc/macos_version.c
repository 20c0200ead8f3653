#include "macos_version.h"
#include <stdio.h>
#include <stdlib.h>

const char *macos_version(void) {
    const char *chosen = getenv("VIRTUALIZATION_MACOS");
    return chosen && *chosen ? chosen : "27.0";
}

int macos_is_at_least(int major, int minor) {
    int here = 0, after = 0;
    sscanf(macos_version(), "%d.%d", &here, &after);
    return here != major ? here > major : after >= minor;
}
