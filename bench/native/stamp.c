/* Stands before QEMU: writes the time at which the library has started it to $BENCH_STAMP, then becomes it. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    FILE *file = fopen(getenv("BENCH_STAMP"), "w");
    if (!file || argc < 1) return 1;
    fprintf(file, "%lld.%06ld", now.tv_sec * 1000LL + now.tv_nsec / 1000000, now.tv_nsec % 1000000);
    fclose(file);
    execv(getenv("BENCH_QEMU"), argv);
    return 1;
}
