#import "guest_cards.h"
#import <Foundation/Foundation.h>
#import <vmnet/vmnet.h>

/// What a vmnet_network_configuration_ref is.
@interface VmnetConfiguration : NSObject {
  @public
    in_addr_t _subnet, _mask; // in the host's order; 0 for any
    uint32_t _transmissionUnit;
    BOOL _isIsolated, _lacksService;
    NSMutableData *_reservations, *_rules;
}
@end

/// What a vmnet_network_ref is. Machines that are on it are each behind a QEMU of their own.
@interface VmnetNetwork : NSObject {
  @public
    VmnetConfiguration *_configuration; // nobody else's
    NSMutableData *_leases;
}
/// QEMU's user network for a card that has the address; its options, but for the name. The card hears of its ports.
- (NSString *)optionsForCard:(GuestCard *)card at:(struct in_addr)address;
/// The address of a card, which it keeps: the reserved one or, from the third on, the first that nobody has. All bits
/// are set when there is none left.
- (struct in_addr)addressForMAC:(struct ether_addr)MAC;
- (NSInteger)transmissionUnit;
@end
