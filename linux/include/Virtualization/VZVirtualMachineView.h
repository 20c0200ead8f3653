#import <AppKit/AppKit.h>

@class VZVirtualMachine, MachineScreen;

/// Shows a machine's screen, scaled to fit, and gives the machine what is typed and pointed at there. For use on the
/// main thread. In libVirtualizationAppKit.so.
@interface VZVirtualMachineView : NSView {
  @private
    MachineScreen *_screen;
    BOOL _capturesSystemKeys, _automaticallyReconfiguresDisplay;
    NSMutableIndexSet *_keysDown;
    int _buttons;
    CGFloat _wheel;
}
@property(strong) VZVirtualMachine *virtualMachine;
/// Whether key equivalents, of a menu for instance, are the guest's too.
@property BOOL capturesSystemKeys;
/// Whether the guest's display gets the size of the view.
@property BOOL automaticallyReconfiguresDisplay;
@end
