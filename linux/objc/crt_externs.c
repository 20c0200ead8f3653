// The arguments and the environment of the process, as <crt_externs.h> of macOS gives them. The C library's loader passes
// the arguments to constructors.
extern char **environ;

static int argument_count;
static char **arguments;

__attribute__((constructor)) static void keep_arguments(int argc, char **argv) {
    argument_count = argc;
    arguments = argv;
}

int *_NSGetArgc(void) {
    return &argument_count;
}

char ***_NSGetArgv(void) {
    return &arguments;
}

char ***_NSGetEnviron(void) {
    return &environ;
}
