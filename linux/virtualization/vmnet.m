// vmnet's functions, and the networks that they make.
#import "vmnet_network.h"
#import "a_mac.h"
#import "../objc/macos_version.h"
#import <pthread.h>
#import <unistd.h>

enum { smallest_transmission_unit = 576, usual_transmission_unit = 1500, largest_transmission_unit = 65535 };

/// The addresses of a network that are nobody's but its own, from the first and from the last.
enum { host_offset = 1, first_guest_offset = 2, shortest_prefix = 8, longest_prefix = 28 };

struct lease {
    struct ether_addr MAC;
    struct in_addr address;
};

struct rule {
    BOOL isUDP;
    uint16_t internalPort, externalPort;
    struct in_addr address;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; // of the list and of all leases
static NSHashTable *networks;                            // which does not keep them

static const struct lease *leases_of(NSData *data, NSUInteger *count) {
    *count = [data length] / sizeof(struct lease);
    return [data bytes];
}

static const struct lease *find_lease(NSData *data, const struct ether_addr *MAC, struct in_addr address) {
    NSUInteger count;
    const struct lease *all = leases_of(data, &count);
    for (NSUInteger i = 0; i < count; i++) {
        if (MAC ? memcmp(&all[i].MAC, MAC, sizeof *MAC) == 0 : all[i].address.s_addr == address.s_addr) return &all[i];
    }
    return NULL;
}

static in_addr_t offset_in(VmnetConfiguration *configuration, struct in_addr address) {
    return ntohl(address.s_addr) - configuration->_subnet;
}

static struct in_addr address_at(VmnetConfiguration *configuration, in_addr_t offset) {
    return (struct in_addr){htonl(configuration->_subnet + offset)};
}

@implementation VmnetConfiguration

- (id)init {
    self = [super init];
    _transmissionUnit = usual_transmission_unit;
    _reservations = [[NSMutableData alloc] init];
    _rules = [[NSMutableData alloc] init];
    return self;
}

- (void)dealloc {
    [_reservations release];
    [_rules release];
    [super dealloc];
}

- (VmnetConfiguration *)copy {
    VmnetConfiguration *copy = [[VmnetConfiguration alloc] init];
    copy->_subnet = _subnet;
    copy->_mask = _mask;
    copy->_transmissionUnit = _transmissionUnit;
    copy->_isIsolated = _isIsolated;
    copy->_lacksService = _lacksService;
    [copy->_reservations setData:_reservations];
    [copy->_rules setData:_rules];
    return copy;
}

- (BOOL)reservesOnlyWhatGuestsCanHave {
    NSUInteger count;
    const struct lease *all = leases_of(_reservations, &count);
    for (NSUInteger i = 0; i < count; i++) {
        in_addr_t offset = offset_in(self, all[i].address);
        if (offset < first_guest_offset || offset >= ~_mask) return NO;
    }
    return YES;
}

@end

@implementation VmnetNetwork

- (void)dealloc {
    pthread_mutex_lock(&lock);
    NSHashRemove(networks, self);
    pthread_mutex_unlock(&lock);
    [_configuration release];
    [_leases release];
    [super dealloc];
}

/// The last that is nobody's, for it must be no guest's.
- (struct in_addr)nameServer {
    for (in_addr_t offset = ~_configuration->_mask - 1;; offset--) {
        struct in_addr address = address_at(_configuration, offset);
        if (offset <= first_guest_offset || !find_lease(_configuration->_reservations, NULL, address)) return address;
    }
}

- (struct in_addr)addressForMAC:(struct ether_addr)MAC {
    struct in_addr any = {INADDR_NONE}, server = [self nameServer];
    const struct lease *reservation = find_lease(_configuration->_reservations, &MAC, any);
    if (reservation) return reservation->address;
    pthread_mutex_lock(&lock);
    const struct lease *known = find_lease(_leases, &MAC, any);
    struct lease new = {MAC, known ? known->address : any};
    for (in_addr_t offset = first_guest_offset; !known && offset < ~_configuration->_mask; offset++) {
        struct in_addr address = address_at(_configuration, offset);
        BOOL isTaken = find_lease(_configuration->_reservations, NULL, address) || find_lease(_leases, NULL, address);
        if (isTaken || address.s_addr == server.s_addr) continue;
        new.address = address;
        [_leases appendBytes:&new length:sizeof new];
        break;
    }
    pthread_mutex_unlock(&lock);
    return new.address;
}

- (NSString *)optionsForCard:(GuestCard *)card at:(struct in_addr)address {
    NSMutableString *options = [NSMutableString string];
    [options appendFormat:@"net=%@/%d,host=%@,dns=%@,dhcpstart=%@", address_text(address_at(_configuration, 0)),
                          __builtin_popcount(_configuration->_mask), address_text(address_at(_configuration, host_offset)),
                          address_text([self nameServer]), address_text(address)];
    if (_configuration->_isIsolated) [options appendString:@",restrict=on"];
    if (port_rules_are_lost() || !find_lease(_configuration->_reservations, NULL, address)) return options;
    const struct rule *rules = [_configuration->_rules bytes];
    for (NSUInteger i = 0; i < [_configuration->_rules length] / sizeof *rules; i++) {
        const struct rule *rule = &rules[i];
        int port = rule->externalPort;
        // QEMU would not start for a port that is taken.
        if (rule->address.s_addr != address.s_addr || !loopback_port_is_free(rule->isUDP, &port)) continue;
        [options appendFormat:@",hostfwd=%@:127.0.0.1:%d-%@:%d", rule->isUDP ? @"udp" : @"tcp", port, address_text(address),
                              rule->internalPort];
        [card addPort:port to:rule->internalPort isUDP:rule->isUDP];
    }
    return options;
}

- (NSInteger)transmissionUnit {
    return _configuration->_transmissionUnit;
}

@end

#pragma mark The functions

static void *finish(id object, vmnet_return_t outcome, vmnet_return_t *status) {
    if (status) *status = outcome;
    return object;
}

static vmnet_network_configuration_ref create_configuration(vmnet_mode_t mode, vmnet_return_t *status) {
    if (!macos_is_at_least(26, 0)) return finish(nil, VMNET_FAILURE, status);
    if (mode != VMNET_HOST_MODE && mode != VMNET_SHARED_MODE) return finish(nil, VMNET_INVALID_ARGUMENT, status);
    VmnetConfiguration *configuration = [[VmnetConfiguration alloc] init];
    configuration->_isIsolated = mode == VMNET_HOST_MODE;
    return finish(configuration, VMNET_SUCCESS, status);
}

static vmnet_return_t set_subnet(vmnet_network_configuration_ref configuration, const struct in_addr *subnet,
                                 const struct in_addr *mask) {
    if (!configuration || !subnet || !mask) return VMNET_INVALID_ARGUMENT;
    in_addr_t bits = ntohl(mask->s_addr);
    int prefix = __builtin_popcount(bits);
    BOOL isMask = prefix >= shortest_prefix && prefix <= longest_prefix && bits == ~0u << (32 - prefix);
    if (!isMask || subnet->s_addr == INADDR_ANY) return VMNET_INVALID_ARGUMENT;
    VmnetConfiguration *object = (id)configuration;
    object->_mask = bits;
    object->_subnet = ntohl(subnet->s_addr) & bits;
    return VMNET_SUCCESS;
}

static vmnet_return_t add_reservation(vmnet_network_configuration_ref configuration, const ether_addr_t *client,
                                      const struct in_addr *address) {
    VmnetConfiguration *object = (id)configuration;
    if (!object || !client || !address || find_lease(object->_reservations, client, *address) ||
        find_lease(object->_reservations, NULL, *address)) return VMNET_INVALID_ARGUMENT;
    struct lease lease = {*client, *address};
    [object->_reservations appendBytes:&lease length:sizeof lease];
    return VMNET_SUCCESS;
}

static vmnet_return_t add_rule(vmnet_network_configuration_ref configuration, uint8_t protocol, uint8_t family,
                               uint16_t internalPort, uint16_t externalPort, const void *address) {
    VmnetConfiguration *object = (id)configuration;
    BOOL isUDP = protocol == IPPROTO_UDP;
    if (!object || !address || (!isUDP && protocol != IPPROTO_TCP) || family != AF_INET || !internalPort || !externalPort) {
        return VMNET_INVALID_ARGUMENT;
    }
    const struct rule *rules = [object->_rules bytes];
    for (NSUInteger i = 0; i < [object->_rules length] / sizeof *rules; i++) {
        if (rules[i].isUDP == isUDP && rules[i].externalPort == externalPort) return VMNET_INVALID_ARGUMENT;
    }
    struct rule rule = {isUDP, internalPort, externalPort, {0}};
    memcpy(&rule.address, address, sizeof rule.address);
    [object->_rules appendBytes:&rule length:sizeof rule];
    return VMNET_SUCCESS;
}

static void lack_service(vmnet_network_configuration_ref configuration) {
    ((VmnetConfiguration *)(id)configuration)->_lacksService = YES;
}

static void isolate(vmnet_network_configuration_ref configuration) {
    ((VmnetConfiguration *)(id)configuration)->_isIsolated = YES;
}

static vmnet_return_t set_transmission_unit(vmnet_network_configuration_ref configuration, uint32_t mtu) {
    if (!configuration || mtu < smallest_transmission_unit || mtu > largest_transmission_unit) return VMNET_INVALID_ARGUMENT;
    ((VmnetConfiguration *)(id)configuration)->_transmissionUnit = mtu;
    return VMNET_SUCCESS;
}

/// Under the lock: whether another network of this process has some of the addresses.
static BOOL is_taken(in_addr_t subnet, in_addr_t mask) {
    NSHashEnumerator each = NSEnumerateHashTable(networks);
    BOOL taken = NO;
    for (VmnetNetwork *other; (other = NSNextHashEnumeratorItem(&each));) {
        in_addr_t shared = other->_configuration->_mask & mask;
        if (((other->_configuration->_subnet ^ subnet) & shared) == 0) taken = YES;
    }
    NSEndHashTableEnumeration(&each);
    return taken;
}

/// Under the lock: 192.168.64.0/24, or the first after it that is free.
static BOOL choose_subnet(VmnetConfiguration *configuration) {
    configuration->_mask = 0xffffff00;
    for (configuration->_subnet = 0xc0a84000; configuration->_subnet <= 0xc0a8fe00; configuration->_subnet += 0x100) {
        if (!is_taken(configuration->_subnet, configuration->_mask)) return YES;
    }
    return NO;
}

static vmnet_network_ref create_network(vmnet_network_configuration_ref configuration, vmnet_return_t *status) {
    if (!configuration) return finish(nil, VMNET_INVALID_ARGUMENT, status);
    VmnetNetwork *network = [[VmnetNetwork alloc] init];
    network->_configuration = [(VmnetConfiguration *)(id)configuration copy];
    network->_leases = [[NSMutableData alloc] init];
    VmnetConfiguration *own = network->_configuration;
    pthread_mutex_lock(&lock);
    if (!networks) networks = NSCreateHashTable(NSNonOwnedPointerHashCallBacks, 0);
    BOOL isFree = own->_mask ? !is_taken(own->_subnet, own->_mask) : choose_subnet(own);
    BOOL isValid = [own reservesOnlyWhatGuestsCanHave];
    BOOL succeeds = isFree && isValid && !own->_lacksService;
    if (succeeds) NSHashInsert(networks, network);
    pthread_mutex_unlock(&lock);
    if (succeeds) return finish(network, VMNET_SUCCESS, status);
    [network release];
    return finish(nil, isValid ? VMNET_FAILURE : VMNET_INVALID_ARGUMENT, status);
}

static void get_subnet(vmnet_network_ref network, struct in_addr *subnet, struct in_addr *mask) {
    VmnetConfiguration *configuration = ((VmnetNetwork *)(id)network)->_configuration;
    if (subnet) *subnet = address_at(configuration, 0);
    if (mask) mask->s_addr = htonl(configuration->_mask);
}

// The loader asks which function a name stands for when a program asks it for that; with none there is no such name. For a
// program that is linked with the library it asks before the C library can be used.
static void *unless_older(void *function) {
    return !environ || macos_is_at_least(26, 0) ? function : NULL;
}

#define SINCE_26(name, function)                                                                                       \
    __attribute__((used)) static void *find_##name(void) {                                                             \
        return unless_older((void *)function);                                                                         \
    }                                                                                                                  \
    __typeof__(function) name __attribute__((ifunc("find_" #name)));

SINCE_26(vmnet_network_configuration_create, create_configuration)
SINCE_26(vmnet_network_configuration_set_ipv4_subnet, set_subnet)
SINCE_26(vmnet_network_configuration_add_dhcp_reservation, add_reservation)
SINCE_26(vmnet_network_configuration_add_port_forwarding_rule, add_rule)
SINCE_26(vmnet_network_configuration_disable_dhcp, lack_service)
SINCE_26(vmnet_network_configuration_disable_dns_proxy, lack_service)
SINCE_26(vmnet_network_configuration_disable_nat44, isolate)
SINCE_26(vmnet_network_configuration_set_mtu, set_transmission_unit)
SINCE_26(vmnet_network_create, create_network)
SINCE_26(vmnet_network_get_ipv4_subnet, get_subnet)
