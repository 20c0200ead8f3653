#ifndef GUEST_CARDS_H
#define GUEST_CARDS_H

// The cards of machines that run in this process whose addresses are known, since QEMU's DHCP gives them.
#include <net/ethernet.h>
#include <netinet/in.h>

/* Calls the function for each of them, in the order in which they came. It must not call anything of this file. */
void each_guest_card(void (*visit)(void *context, struct ether_addr mac, struct in_addr address), void *context);

#ifdef __OBJC__
#import "machine_link.h"

/// A network card and its address, and the ports of the host's loopback that lead to the guest's.
@interface GuestCard : NSObject {
    NSString *_network;
    struct ether_addr _MAC;
    struct in_addr _address;
    MachineLink *_machine;
    pthread_mutex_t _lock;
    NSMutableDictionary *_ports; // guarded by _lock
}
/// @param network QEMU's name of its netdev, which is a user network.
- (id)initWithNetwork:(NSString *)network MAC:(struct ether_addr)MAC address:(struct in_addr)address;
/// QEMU has been told of a port of the host's that leads to one of the guest's. A second one to the same would get
/// answers by UDP that are the first one's.
- (void)addPort:(int)external to:(int)port isUDP:(BOOL)isUDP;
/// What guest_port_on_loopback gives.
- (int)loopbackPortFor:(int)port isUDP:(BOOL)isUDP;
@end

/// The machine runs from now on.
void publish_guest_cards(NSArray *cards, MachineLink *machine);
void withdraw_guest_cards(NSArray *cards);

/// Whether a port of the host's loopback can be listened at. 0 is any; *port is then which.
BOOL loopback_port_is_free(BOOL isUDP, int *port);
/// "192.168.64.7"
NSString *address_text(struct in_addr address);
#endif

#endif
