#import <Foundation/Foundation.h>

/// The names of the host's bridges.
NSArray *bridges(void);
/// A descriptor of a new network card of the host's that is plugged into the bridge, or -1 with an error. It is gone
/// when its last descriptor is closed.
int plug_into_bridge(NSString *bridge, NSError **error);
