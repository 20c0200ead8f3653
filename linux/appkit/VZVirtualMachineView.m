#import <Virtualization/VZVirtualMachineView.h>
#import "key_codes.h"
#import "machine_screen.h"

// RFB's bits of the buttons.
enum { left_button = 1, middle_button = 2, right_button = 4, wheel_up = 8, wheel_down = 16 };

@interface VZVirtualMachineView (Engine) <ScreenConnectionDelegate>
@end

@implementation VZVirtualMachineView

- (id)initWithFrame:(NSRect)frame {
    self = [super initWithFrame:frame];
    if (self) _keysDown = [[NSMutableIndexSet alloc] init];
    return self;
}

- (void)dealloc {
    [[NSNotificationCenter defaultCenter] removeObserver:self];
    [_screen close];
    [_screen release];
    [_keysDown release];
    [super dealloc];
}

- (VZVirtualMachine *)virtualMachine {
    return _screen.machine;
}

- (void)setVirtualMachine:(VZVirtualMachine *)machine {
    if (machine == _screen.machine) return;
    [self _releaseKeys];
    [_screen close];
    [_screen release];
    _screen = machine ? [[MachineScreen alloc] initWithMachine:machine delegate:self] : nil;
    [self _reconfigureDisplay];
    [self setNeedsDisplay:YES];
}

@synthesize capturesSystemKeys = _capturesSystemKeys;

- (BOOL)automaticallyReconfiguresDisplay {
    return _automaticallyReconfiguresDisplay;
}

- (void)setAutomaticallyReconfiguresDisplay:(BOOL)automatically {
    _automaticallyReconfiguresDisplay = automatically;
    [self _reconfigureDisplay];
}

/// 2 is a Retina screen's, where the guest's screen has that many pixels, and all in it is small.
static double pixels_per_point(void) {
    const char *value = getenv("VIRTUALIZATION_SCALE");
    double scale = value ? atof(value) : 1;
    return scale > 0 ? scale : 1;
}

- (void)_reconfigureDisplay {
    if (!_automaticallyReconfiguresDisplay) return;
    NSSize size = [self bounds].size;
    [_screen reconfigureWithSize:NSMakeSize(size.width * pixels_per_point(), size.height * pixels_per_point())];
}

// GNUstep's does not go through setFrameSize:.
- (void)setFrame:(NSRect)frame {
    [super setFrame:frame];
    [self _reconfigureDisplay];
}

- (void)setFrameSize:(NSSize)size {
    [super setFrameSize:size];
    [self _reconfigureDisplay];
}

#pragma mark The picture

- (BOOL)isOpaque {
    return YES;
}

- (CGFloat)_scale {
    NSSize size = _screen.connection.size;
    NSSize room = [self bounds].size;
    return size.width > 0 ? MIN(room.width / size.width, room.height / size.height) : 1;
}

/// Where the guest's screen is in the view: in its middle, as large as it can be.
- (NSRect)_pictureRect {
    NSSize size = _screen.connection.size;
    NSSize room = [self bounds].size;
    CGFloat scale = [self _scale];
    CGFloat width = size.width * scale, height = size.height * scale;
    return NSMakeRect(floor((room.width - width) / 2), floor((room.height - height) / 2), width, height);
}

- (NSRect)_rectOfPixels:(NSRect)pixels {
    NSRect picture = [self _pictureRect];
    CGFloat scale = [self _scale];
    return NSMakeRect(NSMinX(picture) + NSMinX(pixels) * scale, NSMaxY(picture) - NSMaxY(pixels) * scale,
                      NSWidth(pixels) * scale, NSHeight(pixels) * scale);
}

/// All pixels that are seen in it, or whose colours run into it where the picture is scaled.
- (NSRect)_pixelsOfRect:(NSRect)rect {
    NSRect picture = [self _pictureRect];
    CGFloat scale = [self _scale];
    rect = NSMakeRect((NSMinX(rect) - NSMinX(picture)) / scale, (NSMaxY(picture) - NSMaxY(rect)) / scale,
                      NSWidth(rect) / scale, NSHeight(rect) / scale);
    if (scale != 1) rect = NSInsetRect(rect, -1, -1);
    return NSIntersectionRect(NSIntegralRect(rect), (NSRect){NSZeroPoint, _screen.connection.size});
}

- (void)drawRect:(NSRect)rect {
    NSRect picture = [self _pictureRect];
    if (!NSContainsRect(picture, rect)) {
        [[NSColor blackColor] set];
        NSRectFill(rect);
    }
    if (!NSIntersectsRect(picture, rect)) return;
    NSRect pixels = [self _pixelsOfRect:rect];
    [_screen.connection drawPixels:pixels in:[self _rectOfPixels:pixels]];
}

- (void)_screenDidResize {
    [self setNeedsDisplay:YES];
}

- (void)_screenDidChange:(NSRect)pixels {
    NSRect rect = [self _rectOfPixels:pixels];
    [self setNeedsDisplayInRect:[self _scale] == 1 ? rect : NSIntegralRect(NSInsetRect(rect, -1, -1))];
}

#pragma mark Keys

- (BOOL)acceptsFirstResponder {
    return YES;
}

- (BOOL)acceptsFirstMouse:(NSEvent *)event {
    return YES;
}

- (void)viewWillMoveToWindow:(NSWindow *)window {
    NSNotificationCenter *center = [NSNotificationCenter defaultCenter];
    [center removeObserver:self name:NSWindowDidResignKeyNotification object:nil];
    if (window) {
        [center addObserver:self selector:@selector(_windowDidResignKey:) name:NSWindowDidResignKeyNotification object:window];
    }
    [super viewWillMoveToWindow:window];
}

- (void)viewDidMoveToWindow {
    [super viewDidMoveToWindow];
    [[self window] setAcceptsMouseMovedEvents:YES];
    if (![[self window] initialFirstResponder]) [[self window] setInitialFirstResponder:self];
}

- (void)_windowDidResignKey:(NSNotification *)notification {
    [self _releaseKeys];
}

- (BOOL)resignFirstResponder {
    [self _releaseKeys];
    return [super resignFirstResponder];
}

/// Nobody will tell when they go up.
- (void)_releaseKeys {
    for (NSUInteger key = [_keysDown firstIndex]; key != NSNotFound; key = [_keysDown indexGreaterThanIndex:key]) {
        [_screen.connection sendKey:(uint32_t)key down:NO];
    }
    [_keysDown removeAllIndexes];
}

- (void)_key:(NSEvent *)event down:(BOOL)down {
    uint32_t key = pc_key_code([event keyCode]);
    if (!key || (!down && ![_keysDown containsIndex:key])) return;
    if (down) {
        [_keysDown addIndex:key];
    } else {
        [_keysDown removeIndex:key];
    }
    [_screen.connection sendKey:key down:down];
}

- (void)keyDown:(NSEvent *)event {
    [self _key:event down:YES];
}

- (void)keyUp:(NSEvent *)event {
    [self _key:event down:NO];
}

/// Whether a modifier that the view does not know to be down has gone up: it went down in another window. The flags are
/// those after the event. Of the lock keys they say nothing.
static BOOL is_release(NSEvent *event) {
    enum { caps_lock = 66, num_lock = 77 };
    const NSUInteger modifiers = NSShiftKeyMask | NSControlKeyMask | NSAlternateKeyMask | NSCommandKeyMask;
    return ([event modifierFlags] & modifiers) == 0 && [event keyCode] != caps_lock && [event keyCode] != num_lock;
}

// GNUstep's event for both directions.
- (void)flagsChanged:(NSEvent *)event {
    enum { left_super = 133, right_super = 134 };
    if ([event keyCode] == left_super || [event keyCode] == right_super) return; // come by keyDown: and keyUp: too
    BOOL isDown = [_keysDown containsIndex:pc_key_code([event keyCode])];
    [self _key:event down:!isDown && !is_release(event)];
}

- (BOOL)performKeyEquivalent:(NSEvent *)event {
    if (!_capturesSystemKeys || [[self window] firstResponder] != self) return [super performKeyEquivalent:event];
    [self _key:event down:YES];
    return YES;
}

#pragma mark The pointer

- (NSPoint)_pixelOf:(NSEvent *)event {
    NSPoint place = [self convertPoint:[event locationInWindow] fromView:nil];
    NSRect picture = [self _pictureRect];
    NSSize size = _screen.connection.size;
    CGFloat x = floor((place.x - NSMinX(picture)) / [self _scale]), y = floor((NSMaxY(picture) - place.y) / [self _scale]);
    return NSMakePoint(MAX(0, MIN(x, size.width - 1)), MAX(0, MIN(y, size.height - 1)));
}

- (void)_pointer:(NSEvent *)event {
    [_screen.connection sendPointer:[self _pixelOf:event] buttons:_buttons];
}

- (void)_button:(int)button down:(BOOL)down event:(NSEvent *)event {
    _buttons = down ? _buttons | button : _buttons & ~button;
    [self _pointer:event];
}

- (void)mouseDown:(NSEvent *)event {
    [self _button:left_button down:YES event:event];
    // GNUstep swallows the end of a click that comes while it makes the window the key window.
    if (([NSEvent pressedMouseButtons] & 1) == 0) [self _button:left_button down:NO event:event];
}

- (void)mouseUp:(NSEvent *)event {
    [self _button:left_button down:NO event:event];
}

- (void)rightMouseDown:(NSEvent *)event {
    [self _button:right_button down:YES event:event];
}

- (void)rightMouseUp:(NSEvent *)event {
    [self _button:right_button down:NO event:event];
}

- (void)otherMouseDown:(NSEvent *)event {
    [self _button:middle_button down:YES event:event];
}

- (void)otherMouseUp:(NSEvent *)event {
    [self _button:middle_button down:NO event:event];
}

- (void)mouseMoved:(NSEvent *)event {
    _buttons = 0; // else it would be a drag
    [self _pointer:event];
}

- (void)mouseDragged:(NSEvent *)event {
    [self _pointer:event];
}

- (void)rightMouseDragged:(NSEvent *)event {
    [self _pointer:event];
}

- (void)otherMouseDragged:(NSEvent *)event {
    [self _pointer:event];
}

- (void)scrollWheel:(NSEvent *)event {
    for (_wheel += [event deltaY]; fabs(_wheel) >= 1; _wheel -= copysign(1, _wheel)) {
        int notch = _wheel > 0 ? wheel_up : wheel_down;
        [self _button:notch down:YES event:event];
        [self _button:notch down:NO event:event];
    }
}

@end
