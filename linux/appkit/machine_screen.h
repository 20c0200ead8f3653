#import <Virtualization/Virtualization.h>
#import "screen.h"
#import "screen_connection.h"

/// A machine's screen, for as long as it is watched: from each start of the machine to its end. For the main thread, but
/// for what the machine calls.
@interface MachineScreen : NSObject <ScreenViewer, VZGraphicsDisplayObserver> {
    VZVirtualMachine *_machine;
    id<ScreenConnectionDelegate> _delegate;
    ScreenConnection *_connection;
    NSSize _wantedSize, _askedSize;
    BOOL _reconfiguring;
}
/// @param delegate Not retained; told nothing after -close.
- (id)initWithMachine:(VZVirtualMachine *)machine delegate:(id<ScreenConnectionDelegate>)delegate;
- (void)close;
@property(readonly) VZVirtualMachine *machine;
/// nil before the machine runs.
@property(readonly) ScreenConnection *connection;
/// Has the guest told that its display is of this size now. Of many sizes in a row it is told the last, and those that
/// there was time for.
- (void)reconfigureWithSize:(NSSize)size;
@end
