#import "console_pump.h"
#import <GNUstepBase/GNUstep.h>
#import <errno.h>
#import <fcntl.h>
#import <poll.h>
#import <signal.h>
#import <sys/ioctl.h>
#import <sys/socket.h>
#import <sys/stat.h>
#import <sys/sysmacros.h>
#import <sys/uio.h>
#import <time.h>
#import <unistd.h>

// QEMU's virtconsole drops what its backend does not take, or waits for it with the lock that the whole machine needs.
// So the backend is a pipe, and QEMU waits for a reader, but not for long: for one who takes little or nothing the guest
// is stopped, and the pipe is emptied again. On a Mac the guest's driver waits in the kernel, with interrupts off (Linux's
// virtio_console spins until the host has taken its buffer): that is what standing still stands for here.

enum {
    at_most = 1 << 14,      // held back of a console while the guest runs; the pipe has as much
    at_rest = 4096,         // of one whose reader takes nothing
    pty_holds = 1024,       // unread in a pty, as a Mac's; Linux's would take 64 KiB
    piece = 1 << 14,        // read at once
    stuck_after = 100,      // milliseconds in which less than a piece was taken
    trickle = 4096,         // read at once while the guest is about to be stopped: QEMU waits for a page of the pipe's
    trickle_pause = 20,     // milliseconds
    patience_at_end = 1000,
    hung_up_pause = 50,     // until a pty that is open nowhere is looked at again
    shortest_pause = 50,    // microseconds, until a pty is looked at again; doubled each time
    longest_pause = 20000,
};

struct outlet {
    int source, sink;
    enum { stream, sock, pty } kind;
    char *bytes;
    size_t start, length, capacity;
    double progress; // when something was taken last, or there was nothing to take
    double brisk;    // when a piece had been taken last, or what there was
    size_t taken;    // since then
    double next;     // when it may be read again although it is full
    int pause;       // microseconds; of a pty that is not to be written to now
    BOOL ended, broken, full;
};

struct inlet {
    int source, sink;
    char bytes[1024];
    size_t start, length;
    BOOL ended, hungUp;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static void set_nonblocking(int descriptor) {
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}

/// What a reader of a pty has not read; -1 when it is open nowhere, which has to be waited for too.
static int unread_in(int master) {
    struct pollfd state = {master, 0, 0};
    if (poll(&state, 1, 0) > 0 && state.revents & POLLHUP) return -1;
    int device = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK), unread = 0;
    if (device < 0) return 0;
    ioctl(device, FIONREAD, &unread);
    close(device);
    return unread;
}

/// As write(2) to a pty's master, but that it never waits: what was written last is perhaps not yet counted as unread, and
/// there may be less room than it seems. A master cannot be opened anew with flags of its own, and nobody else writes to it.
static ssize_t write_to_master(int master, const char *bytes, size_t length) {
    int flags = fcntl(master, F_GETFL);
    fcntl(master, F_SETFL, flags | O_NONBLOCK);
    ssize_t written = write(master, bytes, length);
    int problem = errno;
    fcntl(master, F_SETFL, flags);
    errno = problem;
    return written;
}

/// As write(2), but that it never waits, whatever the flags of the description are.
static ssize_t write_some(struct outlet *outlet, const char *bytes, size_t length) {
    if (outlet->kind == sock) return send(outlet->sink, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (outlet->kind == pty) {
        int unread = unread_in(outlet->sink);
        if (unread < 0 || unread >= pty_holds) {
            errno = EAGAIN;
            return -1;
        }
        size_t room = (size_t)(pty_holds - unread);
        return write_to_master(outlet->sink, bytes, length < room ? length : room);
    }
    struct iovec vector = {(void *)bytes, length};
    ssize_t written = pwritev2(outlet->sink, &vector, 1, -1, RWF_NOWAIT);
    // Not every kind of file knows that; those have been opened anew and do not wait.
    return written < 0 && errno == EOPNOTSUPP ? write(outlet->sink, bytes, length) : written;
}

static void drain(struct outlet *outlet) {
    while (outlet->length > 0 && !outlet->broken) {
        ssize_t written = write_some(outlet, outlet->bytes + outlet->start, outlet->length);
        if (written < 0 && errno == EINTR) continue;
        if (written < 0 && errno != EAGAIN) outlet->broken = YES; // nobody will read it any more
        if (written <= 0) {
            outlet->pause = outlet->pause ? outlet->pause * 2 : shortest_pause;
            if (outlet->pause > longest_pause) outlet->pause = longest_pause;
            break;
        }
        outlet->start += (size_t)written;
        outlet->length -= (size_t)written;
        outlet->progress = now();
        outlet->pause = 0;
        outlet->taken += (size_t)written;
        if (outlet->taken >= piece) {
            outlet->brisk = outlet->progress;
            outlet->taken = 0;
        }
        if (outlet->kind == pty) {
            outlet->pause = shortest_pause; // it takes a moment until it is counted as unread
            break;
        }
    }
    if (outlet->broken) outlet->length = 0;
    if (outlet->length == 0) {
        outlet->start = 0;
        outlet->pause = 0;
        outlet->taken = 0;
        outlet->progress = outlet->brisk = now();
    }
}

/// Room for a piece more, at the end.
static void make_room(struct outlet *outlet) {
    if (outlet->start + outlet->length + piece <= outlet->capacity) return;
    memmove(outlet->bytes, outlet->bytes + outlet->start, outlet->length);
    outlet->start = 0;
    if (outlet->length + piece <= outlet->capacity) return;
    outlet->capacity = (outlet->length + piece) * 2;
    outlet->bytes = realloc(outlet->bytes, outlet->capacity);
}

static void fill(struct outlet *outlet, BOOL finishing) {
    make_room(outlet);
    BOOL trickles = outlet->length >= at_most && !finishing;
    if (trickles) outlet->next = now() + trickle_pause;
    ssize_t length = read(outlet->source, outlet->bytes + outlet->start + outlet->length, trickles ? trickle : piece);
    if (length > 0) outlet->length += (size_t)length;
    BOOL none = length < 0 && (errno == EINTR || errno == EAGAIN);
    if (length == 0 || (length < 0 && (!none || finishing))) outlet->ended = YES;
}

static BOOL is_full(struct outlet *outlet) {
    if (outlet->length <= at_rest || outlet->broken) return NO;
    return outlet->full || now() - outlet->brisk >= stuck_after;
}

static void pass_on(struct inlet *inlet) {
    if (inlet->length == 0) {
        ssize_t length = read(inlet->source, inlet->bytes, sizeof inlet->bytes);
        inlet->start = 0;
        if (length > 0) {
            inlet->length = (size_t)length;
        } else if (length == 0) {
            inlet->ended = YES;
        } else if (errno == EIO) {
            inlet->hungUp = YES; // a pty; it may be opened again
        } else if (errno != EINTR && errno != EAGAIN) {
            inlet->ended = YES;
        }
    }
    if (inlet->length == 0) return;
    ssize_t written = write(inlet->sink, inlet->bytes + inlet->start, inlet->length);
    if (written < 0 && errno != EINTR && errno != EAGAIN) inlet->ended = YES;
    if (written <= 0) return;
    inlet->start += (size_t)written;
    inlet->length -= (size_t)written;
}

@implementation ConsolePump

- (id)init {
    self = [super init];
    if (self) _wake[0] = _wake[1] = -1;
    return self;
}

- (void)addOutletFrom:(int)source to:(int)sink {
    _outlets = realloc(_outlets, sizeof *_outlets * (size_t)(_outletCount + 1));
    struct outlet *outlet = &_outlets[_outletCount++];
    *outlet = (struct outlet){.source = source, .sink = sink, .kind = stream};
    struct stat status;
    unsigned number;
    if (fstat(sink, &status) == 0 && S_ISSOCK(status.st_mode)) outlet->kind = sock;
    if (ioctl(sink, TIOCGPTN, &number) == 0) outlet->kind = pty;
    fcntl(source, F_SETPIPE_SZ, at_most);
    set_nonblocking(source);
}

- (void)addInletFrom:(int)source to:(int)sink {
    _inlets = realloc(_inlets, sizeof *_inlets * (size_t)(_inletCount + 1));
    _inlets[_inletCount++] = (struct inlet){.source = source, .sink = sink};
    set_nonblocking(sink);
}

- (void)dealloc {
    for (int i = 0; i < _outletCount; i++) {
        close(_outlets[i].source);
        close(_outlets[i].sink);
        free(_outlets[i].bytes);
    }
    for (int i = 0; i < _inletCount; i++) {
        close(_inlets[i].source);
        close(_inlets[i].sink);
    }
    for (int i = 0; i < 2; i++) {
        if (_wake[i] >= 0) close(_wake[i]);
    }
    free(_outlets);
    free(_inlets);
    if (_onFull) Block_release(_onFull);
    [super dealloc];
}

static void *pump_main(void *argument) {
    GSRegisterCurrentThread();
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    [(ConsolePump *)argument _run];
    [pool release];
    GSUnregisterCurrentThread();
    return NULL;
}

- (int)startWithOnFull:(void (^)(BOOL))onFull {
    _onFull = Block_copy(onFull);
    if (pipe2(_wake, O_CLOEXEC | O_NONBLOCK) != 0) return errno;
    struct timespec none = {0, 0};
    if (ppoll(NULL, 0, &none, NULL) < 0) return errno; // the thread could not wait
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int problem = pthread_create(&_thread, NULL, pump_main, self);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    _started = problem == 0;
    return problem;
}

- (void)finish {
    if (_started) {
        close(_wake[1]);
        _wake[1] = -1;
        pthread_join(_thread, NULL);
        _started = NO;
    }
    if (_onFull) Block_release(_onFull); // it keeps who has this pump
    _onFull = NULL;
}

- (void)_run {
    while (![self _isDone]) {
        [self _wait];
        for (int i = 0; i < _outletCount; i++) drain(&_outlets[i]);
        [self _judge];
    }
}

- (BOOL)_isDone {
    if (!_finishing) return NO;
    for (int i = 0; i < _outletCount; i++) {
        struct outlet *outlet = &_outlets[i];
        if (!outlet->ended) return NO;
        if (outlet->length > 0 && now() - outlet->progress < patience_at_end) return NO;
    }
    return YES;
}

/// Says whether any console is full when that has changed.
- (void)_judge {
    BOOL full = NO;
    for (int i = 0; i < _outletCount; i++) {
        _outlets[i].full = is_full(&_outlets[i]);
        full = full || _outlets[i].full;
    }
    if (full == _full || _finishing) return;
    _full = full;
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    _onFull(full);
    [pool release];
}

/// Milliseconds, or -1 for ever.
static void shorten(double *pause, double milliseconds) {
    if (milliseconds < 0) milliseconds = 0;
    if (*pause < 0 || milliseconds < *pause) *pause = milliseconds;
}

/// Waits for something to do and takes what came.
- (void)_wait {
    struct pollfd sources[1 + 2 * _outletCount + _inletCount], *source = sources;
    double pause = -1; // milliseconds
    *source++ = (struct pollfd){_finishing ? -1 : _wake[0], POLLIN, 0};
    for (int i = 0; i < _outletCount; i++) {
        struct outlet *outlet = &_outlets[i];
        BOOL pending = outlet->length > 0;
        // QEMU hears that it is to stop the guest only when it need not wait; the guest is not to run on until then.
        BOOL room = outlet->length < at_most || _finishing;
        if (!room && outlet->full) {
            double rest = outlet->next - now();
            room = rest <= 0;
            if (!room) shorten(&pause, rest);
        }
        *source++ = (struct pollfd){outlet->ended || !room ? -1 : outlet->source, POLLIN, 0};
        *source++ = (struct pollfd){pending && outlet->kind != pty ? outlet->sink : -1, POLLOUT, 0};
        if (pending && outlet->kind == pty) shorten(&pause, outlet->pause / 1e3);
        if (outlet->length > at_rest && !outlet->full) shorten(&pause, stuck_after - (now() - outlet->brisk));
        if (pending && _finishing) shorten(&pause, patience_at_end - (now() - outlet->progress));
    }
    for (int i = 0; i < _inletCount; i++) {
        struct inlet *inlet = &_inlets[i];
        if (inlet->hungUp) shorten(&pause, hung_up_pause);
        BOOL pending = inlet->length > 0;
        BOOL idle = inlet->ended || inlet->hungUp || _finishing;
        *source++ = (struct pollfd){idle ? -1 : pending ? inlet->sink : inlet->source, pending ? POLLOUT : POLLIN, 0};
    }
    struct timespec limit = {(time_t)(pause / 1e3), (long)(pause * 1e6) % 1000000000};
    ppoll(sources, (nfds_t)(source - sources), pause < 0 ? NULL : &limit, NULL);

    if (sources[0].revents) _finishing = YES;
    for (int i = 0; i < _outletCount; i++) {
        if (!_outlets[i].ended && (sources[1 + 2 * i].revents || _finishing)) fill(&_outlets[i], _finishing);
    }
    for (int i = 0; i < _inletCount; i++) {
        if (_inlets[i].hungUp) _inlets[i].hungUp = NO; // looked at again
        if (sources[1 + 2 * _outletCount + i].revents) pass_on(&_inlets[i]);
    }
}

@end
