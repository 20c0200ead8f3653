#import "screen_connection.h"
#import <GNUstepBase/GNUstep.h>
#import <arpa/inet.h>
#import <dispatch/dispatch.h>
#import <rfb/rfbclient.h>
#import <signal.h>
#import <stdlib.h>
#import <sys/socket.h>
#import <unistd.h>

enum { bytes_per_pixel = 4 };

@interface ScreenConnection (Thread)
- (uint8_t *)_makeRoomForWidth:(int)width height:(int)height;
- (void)_didChange:(NSRect)pixels;
- (void)_tellDelegate;
- (void)_listen;
@end

static ScreenConnection *connection_of(rfbClient *client) {
    return rfbClientGetClientData(client, connection_of);
}

static rfbBool make_frame_buffer(rfbClient *client) {
    client->frameBuffer = [connection_of(client) _makeRoomForWidth:client->width height:client->height];
    return client->frameBuffer != NULL;
}

static void did_update(rfbClient *client, int x, int y, int width, int height) {
    // AppKit's fourth byte is the opacity; QEMU's is nothing.
    for (int row = y; row < y + height; row++) {
        uint8_t *pixel = client->frameBuffer + ((size_t)row * (size_t)client->width + (size_t)x) * bytes_per_pixel;
        for (int column = 0; column < width; column++) pixel[column * bytes_per_pixel + 3] = 0xff;
    }
    [connection_of(client) _didChange:NSMakeRect(x, y, width, height)];
}

static void did_finish_update(rfbClient *client) {
    [connection_of(client) _tellDelegate];
}

/// What libvncclient would say itself includes ExtendedDesktopSize, which it takes from servers that number their screens
/// from 1 only; QEMU's is 0, and the new size would be missed.
static BOOL send_encodings(rfbClient *client) {
    const uint32_t encodings[] = {rfbEncodingRaw, rfbEncodingNewFBSize, rfbEncodingQemuExtendedKeyEvent};
    enum { count = sizeof encodings / sizeof *encodings };
    struct {
        rfbSetEncodingsMsg header;
        uint32_t encodings[count];
    } message = {.header = {.type = rfbSetEncodings, .nEncodings = htons(count)}};
    for (int i = 0; i < count; i++) message.encodings[i] = htonl(encodings[i]);
    return WriteToRFBServer(client, (char *)&message, sizeof message);
}

static rfbClient *make_client(ScreenConnection *connection, int descriptor) {
    rfbEnableClientLogging = FALSE;
    rfbClient *client = rfbGetClient(8, 3, bytes_per_pixel);
    client->sock = descriptor;
    client->listenSpecified = TRUE; // it is connected
    client->appData.encodingsString = "raw";
    client->canHandleNewFBSize = FALSE;
    client->MallocFrameBuffer = make_frame_buffer;
    client->GotFrameBufferUpdate = did_update;
    client->FinishedFrameBufferUpdate = did_finish_update;
    rfbClientSetClientData(client, connection_of, connection);
    return rfbInitClient(client, NULL, NULL) ? client : NULL;
}

static void *thread_main(void *argument) {
    GSRegisterCurrentThread();
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    ScreenConnection *connection = argument;
    [connection _listen];
    [connection release];
    [pool release];
    GSUnregisterCurrentThread();
    return NULL;
}

@implementation ScreenConnection

@synthesize size = _size;

- (id)initWithDescriptor:(int)descriptor delegate:(id<ScreenConnectionDelegate>)delegate {
    self = [super init];
    if (!self) return nil;
    _descriptor = descriptor;
    _delegate = delegate;
    pthread_mutex_init(&_lock, NULL);
    // Signals are for the client's own threads; SIGPIPE, when QEMU has gone, is for nobody.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int problem = pthread_create(&thread, NULL, thread_main, [self retain]);
    if (problem) {
        NSLog(@"The guest's screen cannot be shown: %s", strerror(problem));
        [self release];
    } else {
        pthread_detach(thread);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return self;
}

- (void)dealloc {
    close(_descriptor);
    free(_pixels);
    pthread_mutex_destroy(&_lock);
    [super dealloc];
}

- (void)close {
    _delegate = nil;
    shutdown(_descriptor, SHUT_RDWR);
}

- (void)drawPixels:(NSRect)pixels in:(NSRect)rect {
    pthread_mutex_lock(&_lock);
    pixels = NSIntersectionRect(pixels, NSMakeRect(0, 0, _width, _height)); // it may have a new size already
    if (!NSIsEmptyRect(pixels)) {
        NSInteger rowLength = _width * bytes_per_pixel;
        const unsigned char *planes[5] = {
            _pixels + (NSInteger)NSMinY(pixels) * rowLength + (NSInteger)NSMinX(pixels) * bytes_per_pixel
        };
        NSDrawBitmap(rect, (NSInteger)NSWidth(pixels), (NSInteger)NSHeight(pixels), 8, bytes_per_pixel, 8 * bytes_per_pixel,
                     rowLength, NO, YES, NSDeviceRGBColorSpace, planes);
    }
    pthread_mutex_unlock(&_lock);
}

/// A QEMU that is stuck reads nothing; it is not waited for. The socket takes some hundred messages before that.
- (void)_send:(const void *)message length:(size_t)length {
    if (_size.width == 0) return; // the thread may still be shaking hands
    send(_descriptor, message, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

- (void)sendKey:(uint32_t)code down:(BOOL)down {
    rfbQemuExtendedKeyEventMsg message = {.type = rfbQemuEvent, .down = htons(down), .keycode = htonl(code)};
    [self _send:&message length:sz_rfbQemuExtendedKeyEventMsg];
}

- (void)sendPointer:(NSPoint)place buttons:(int)buttons {
    rfbPointerEventMsg message = {
        .type = rfbPointerEvent, .buttonMask = (uint8_t)buttons, .x = htons((uint16_t)place.x), .y = htons((uint16_t)place.y)
    };
    [self _send:&message length:sz_rfbPointerEventMsg];
}

/// On the main thread.
- (void)_didHear {
    pthread_mutex_lock(&_lock);
    NSRect changed = _changed;
    BOOL resized = _resized;
    NSSize size = NSMakeSize(_width, _height);
    _changed = NSZeroRect;
    _resized = _telling = NO;
    pthread_mutex_unlock(&_lock);
    _size = size;
    if (resized) [_delegate _screenDidResize];
    if (!NSIsEmptyRect(changed)) [_delegate _screenDidChange:changed];
}

#pragma mark On the thread

- (void)_listen {
    // What the library closes at its end is its own: another thread may be about to shut down ours.
    int descriptor = dup(_descriptor);
    if (descriptor < 0) NSLog(@"The guest's screen cannot be shown: %s", strerror(errno));
    rfbClient *client = descriptor < 0 ? NULL : make_client(self, descriptor);
    if (client) {
        if (send_encodings(client)) {
            while (HandleRFBServerMessage(client)) {}
        }
        rfbClientCleanup(client);
    }
    [self _makeRoomForWidth:0 height:0];
    [self _tellDelegate];
}

/// Blank ones of a new size, which are the connection's. NULL when there is no room.
- (uint8_t *)_makeRoomForWidth:(int)width height:(int)height {
    size_t size = (size_t)width * (size_t)height * bytes_per_pixel;
    pthread_mutex_lock(&_lock);
    free(_pixels);
    _pixels = size ? calloc(1, size) : NULL;
    _width = _pixels ? width : 0;
    _height = _pixels ? height : 0;
    _resized = YES;
    pthread_mutex_unlock(&_lock);
    return _pixels;
}

- (void)_didChange:(NSRect)pixels {
    pthread_mutex_lock(&_lock);
    _changed = NSUnionRect(_changed, pixels);
    pthread_mutex_unlock(&_lock);
}

/// Unless that is about to happen.
- (void)_tellDelegate {
    pthread_mutex_lock(&_lock);
    BOOL telling = _telling;
    _telling = YES;
    pthread_mutex_unlock(&_lock);
    if (telling) return;
    dispatch_async(dispatch_get_main_queue(), ^{
      [self _didHear];
    });
}

@end
