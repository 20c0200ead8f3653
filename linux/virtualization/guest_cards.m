#import "guest_cards.h"
#import "internal.h"
#import <arpa/inet.h>
#import <sys/socket.h>
#import <unistd.h>
#import <vmnet/guest_port.h>

enum { patience_with_machine = 5, tries = 8 }; // seconds, and times that a free port is taken by another meanwhile

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static NSMutableArray *published; // guarded by list_lock

NSString *address_text(struct in_addr address) {
    char text[INET_ADDRSTRLEN];
    return [NSString stringWithUTF8String:inet_ntop(AF_INET, &address, text, sizeof text)];
}

BOOL loopback_port_is_free(BOOL isUDP, int *port) {
    int probe = socket(AF_INET, (isUDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
    if (probe < 0) return NO;
    // As QEMU will: connections of before that are about to be forgotten are not in the way.
    int yes = 1;
    if (!isUDP) setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons((uint16_t)*port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof name;
    BOOL free = bind(probe, (struct sockaddr *)&name, length) == 0 && (isUDP || listen(probe, 1) == 0) &&
                getsockname(probe, (struct sockaddr *)&name, &length) == 0;
    close(probe);
    *port = ntohs(name.sin_port);
    return free;
}

/// What the machine's queue tells a thread that waits, which may have gone.
@interface Answer : NSObject {
  @public
    enum { NO_ANSWER, NO_MACHINE, REFUSED, DONE } _outcome;
    dispatch_semaphore_t _given;
}
@end

@implementation Answer

- (id)init {
    self = [super init];
    _given = dispatch_semaphore_create(0);
    return self;
}

- (void)dealloc {
    [_given release];
    [super dealloc];
}

- (void)give:(int)outcome {
    _outcome = outcome;
    dispatch_semaphore_signal(_given);
}

- (int)await {
    dispatch_time_t limit = dispatch_time(DISPATCH_TIME_NOW, patience_with_machine * (int64_t)NSEC_PER_SEC);
    return dispatch_semaphore_wait(_given, limit) == 0 ? (int)_outcome : NO_ANSWER;
}

@end

@implementation GuestCard

- (id)initWithNetwork:(NSString *)network MAC:(struct ether_addr)MAC address:(struct in_addr)address {
    self = [super init];
    if (!self) return nil;
    _network = [network copy];
    _MAC = MAC;
    _address = address;
    _ports = [[NSMutableDictionary alloc] init];
    pthread_mutex_init(&_lock, NULL);
    return self;
}

- (void)dealloc {
    [_network release];
    [_machine release];
    [_ports release];
    pthread_mutex_destroy(&_lock);
    [super dealloc];
}

/// Lets QEMU's monitor do a command for people, and waits. The machine lives on meanwhile, so that the end of QEMU is an
/// answer too.
- (int)_do:(NSString *)command {
    VZVirtualMachine *machine = [_machine copyMachine];
    if (!machine) return NO_MACHINE;
    Answer *answer = [[Answer alloc] init];
    dispatch_async(_machine.queue, ^{
      BOOL asked = [machine _doInMonitor:command
                                   reply:^(NSString *problem) {
                                     [answer give:problem ? REFUSED : DONE];
                                   }];
      if (!asked) [answer give:NO_MACHINE];
    });
    int outcome = [answer await];
    [answer release];
    [machine release];
    return outcome;
}

- (int)_makeLoopbackPortFor:(int)port isUDP:(BOOL)isUDP {
    int outcome = REFUSED;
    for (int i = 0; i < tries && outcome == REFUSED; i++) {
        int chosen = 0;
        if (!loopback_port_is_free(isUDP, &chosen)) return -1;
        outcome = [self _do:[NSString stringWithFormat:@"hostfwd_add %@ %@:127.0.0.1:%d-%@:%d", _network, isUDP ? @"udp" : @"tcp",
                                                       chosen, address_text(_address), port]];
        if (outcome == DONE) return chosen;
    }
    return outcome == NO_MACHINE ? 0 : -1;
}

static NSNumber *key_of(int port, BOOL isUDP) {
    return [NSNumber numberWithInt:isUDP ? -port : port];
}

- (void)addPort:(int)external to:(int)port isUDP:(BOOL)isUDP {
    [_ports setObject:[NSNumber numberWithInt:external] forKey:key_of(port, isUDP)];
}

- (int)loopbackPortFor:(int)port isUDP:(BOOL)isUDP {
    pthread_mutex_lock(&_lock);
    int found = [[_ports objectForKey:key_of(port, isUDP)] intValue];
    if (!found) {
        found = [self _makeLoopbackPortFor:port isUDP:isUDP];
        if (found > 0) [self addPort:found to:port isUDP:isUDP];
    }
    pthread_mutex_unlock(&_lock);
    return found;
}

void publish_guest_cards(NSArray *cards, MachineLink *machine) {
    pthread_mutex_lock(&list_lock);
    if (!published) published = [[NSMutableArray alloc] init];
    for (GuestCard *card in cards) {
        card->_machine = [machine retain];
        [published addObject:card];
    }
    pthread_mutex_unlock(&list_lock);
}

void withdraw_guest_cards(NSArray *cards) {
    pthread_mutex_lock(&list_lock);
    for (GuestCard *card in cards) [published removeObjectIdenticalTo:card];
    pthread_mutex_unlock(&list_lock);
}

void each_guest_card(void (*visit)(void *, struct ether_addr, struct in_addr), void *context) {
    pthread_mutex_lock(&list_lock);
    for (NSUInteger i = 0; i < [published count]; i++) {
        GuestCard *card = [published objectAtIndex:i];
        visit(context, card->_MAC, card->_address);
    }
    pthread_mutex_unlock(&list_lock);
}

/// With a reference of the caller's.
static GuestCard *copy_newest_card(struct in_addr address) {
    GuestCard *found = nil;
    pthread_mutex_lock(&list_lock);
    for (NSUInteger i = [published count]; !found && i > 0; i--) {
        GuestCard *card = [published objectAtIndex:i - 1];
        if (card->_address.s_addr == address.s_addr) found = [card retain];
    }
    pthread_mutex_unlock(&list_lock);
    return found;
}

int guest_port_on_loopback(const char *address, int port, int is_udp) {
    struct in_addr wanted;
    if (port < 1 || port > 65535) return -1;
    if (!address || inet_pton(AF_INET, address, &wanted) != 1) return 0;
    BOOL isNewThread = GSRegisterCurrentThread();
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    GuestCard *card = copy_newest_card(wanted);
    int found = card ? [card loopbackPortFor:port isUDP:is_udp != 0] : 0;
    [card release];
    [pool release];
    if (isNewThread) GSUnregisterCurrentThread();
    return found;
}

@end
