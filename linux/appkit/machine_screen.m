#import "machine_screen.h"
#import <unistd.h>

@implementation MachineScreen

@synthesize machine = _machine, connection = _connection;

- (id)initWithMachine:(VZVirtualMachine *)machine delegate:(id<ScreenConnectionDelegate>)delegate {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _delegate = delegate;
    dispatch_async(machine._machineQueue, ^{
      [_machine _addScreenViewer:self];
      [[self _display] addObserver:self];
    });
    return self;
}

- (void)dealloc {
    [_machine release];
    [super dealloc];
}

- (void)close {
    _delegate = nil;
    [_connection close];
    [_connection release];
    _connection = nil;
    dispatch_async(_machine._machineQueue, ^{
      [[self _display] removeObserver:self];
      [_machine _removeScreenViewer:self];
    });
}

- (void)reconfigureWithSize:(NSSize)size {
    _wantedSize = size;
    [self _reconfigure];
}

- (void)_reconfigure {
    if (_reconfiguring || !_connection || NSIsEmptyRect((NSRect){NSZeroPoint, _wantedSize})) return;
    if (NSEqualSizes(_wantedSize, _askedSize)) return;
    _reconfiguring = YES;
    NSSize size = _askedSize = _wantedSize;
    dispatch_async(_machine._machineQueue, ^{
      VZGraphicsDisplay *display = [self _display];
      if (![display reconfigureWithSizeInPixels:size error:NULL]) [self displayDidEndReconfiguration:display];
    });
}

- (void)_connect:(int)descriptor {
    if (!_delegate) {
        close(descriptor);
        return;
    }
    [_connection close];
    [_connection release];
    _connection = [[ScreenConnection alloc] initWithDescriptor:descriptor delegate:_delegate];
    _askedSize = NSZeroSize;
    [self _reconfigure];
}

#pragma mark On the machine's queue

- (VZGraphicsDisplay *)_display {
    return [_machine _shownDisplay];
}

- (void)screenDidOpen:(int)descriptor {
    dispatch_async(dispatch_get_main_queue(), ^{
      [self _connect:descriptor];
    });
}

- (void)displayDidEndReconfiguration:(VZGraphicsDisplay *)display {
    dispatch_async(dispatch_get_main_queue(), ^{
      _reconfiguring = NO;
      [self _reconfigure];
    });
}

@end
