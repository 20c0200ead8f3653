#import <AppKit/AppKit.h>
#import <pthread.h>

@protocol ScreenConnectionDelegate <NSObject>
/// Also at the end, when the size is zero.
- (void)_screenDidResize;
/// @param pixels From the top left corner.
- (void)_screenDidChange:(NSRect)pixels;
@end

/// A guest's screen, keyboard and pointer by RFB. A thread of its own listens and sleeps in read(2); everything here is for
/// the main thread, which is never made to wait for QEMU.
@interface ScreenConnection : NSObject {
    id<ScreenConnectionDelegate> _delegate;
    int _descriptor;
    NSSize _size; // as the delegate was told last
    // Guarded by _lock.
    pthread_mutex_t _lock;
    uint8_t *_pixels;
    int _width, _height;
    NSRect _changed;
    BOOL _resized, _telling;
}
/// @param descriptor The receiver's to close.
/// @param delegate Not retained; told nothing after -close.
- (id)initWithDescriptor:(int)descriptor delegate:(id<ScreenConnectionDelegate>)delegate;
- (void)close;
/// In pixels; zero when there is nothing to show.
@property(readonly) NSSize size;
/// Draws a part of the screen, in pixels from the top left corner, so that it fills a rectangle of the focused view.
- (void)drawPixels:(NSRect)pixels in:(NSRect)rect;
/// @param code As pc_key_code has it.
- (void)sendKey:(uint32_t)code down:(BOOL)down;
/// @param place In pixels from the top left corner.
/// @param buttons RFB's bits: left, middle, right, then the wheel's up, down, left, right.
- (void)sendPointer:(NSPoint)place buttons:(int)buttons;
@end
