#import <Foundation/Foundation.h>

// What of a Mac can differ from one to the next, each by an environment variable.

/// Whether the process has an entitlement: $VIRTUALIZATION_ENTITLEMENTS, names with commas between, else all.
BOOL has_entitlement(NSString *name);
/// Whether the hardware can run virtual machines: not with $VIRTUALIZATION_HARDWARE=none.
BOOL hardware_can_virtualize(void);
/// Whether its processor lets a guest have guests: not with $VIRTUALIZATION_HARDWARE=no-nesting, as before the M3.
BOOL guests_can_have_guests(void);
/// Whether guests have a power button: not with $VIRTUALIZATION_REQUEST_STOP=no.
BOOL guests_can_be_requested_to_stop(void);
/// Whether pressing it works: not with $VIRTUALIZATION_REQUEST_STOP=fails.
BOOL requests_to_stop_fail(void);
/// Whether vmnet's port rules go, as when a guest reboots there: with $VIRTUALIZATION_PORT_RULES=lost they never come.
BOOL port_rules_are_lost(void);
/// A descriptor at which a byte means that the machines' networks break, or -1: of the named pipe
/// $VIRTUALIZATION_BREAK_NETWORK, for one running machine at a time.
int network_breaker(void);
/// Sets O_NONBLOCK on the descriptor of a client's file handle where $VIRTUALIZATION_NONBLOCKING is set.
void take_descriptor(int descriptor);
