#import <Virtualization/VZVirtualMachine.h>

/// Who wants to show a machine's screen.
@protocol ScreenViewer <NSObject>
/// On the machine's queue, at each of its starts.
/// @param descriptor A connection of the receiver's own to the screen, keyboard and pointer: RFB, which has an end when
/// the machine has.
- (void)screenDidOpen:(int)descriptor;
@end

@interface VZVirtualMachine (Screen)
/// Its queue, on any macOS.
- (dispatch_queue_t)_machineQueue;
// On the machine's queue:
/// The one of its displays that viewers see, or nil.
- (VZGraphicsDisplay *)_shownDisplay;
/// A new connection for the caller to close. -1 when the machine does not run or has no screen.
- (int)_connectToScreen;
/// The viewer, who is retained, is told at once when the machine runs already.
- (void)_addScreenViewer:(id<ScreenViewer>)viewer;
- (void)_removeScreenViewer:(id<ScreenViewer>)viewer;
@end
