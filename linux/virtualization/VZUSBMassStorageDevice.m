#import "internal.h"
#import "usb_plug.h"

@implementation VZStorageDevice

NOT_MADE_BY_INIT(VZStorageDevice)

@end

@implementation VZUSBMassStorageDevice

- (instancetype)initWithConfiguration:(VZUSBMassStorageDeviceConfiguration *)configuration {
    self = [super init];
    if (self) _configuration = [configuration copy];
    return self;
}

- (void)dealloc {
    [_plug release];
    [_configuration release];
    [super dealloc];
}

- (NSUUID *)uuid {
    return _configuration.uuid;
}

- (VZUSBController *)usbController {
    return _controller;
}

- (void)_setController:(VZUSBController *)controller {
    _controller = controller;
}

- (UsbPlug *)_plug {
    return _plug;
}

- (void)_setPlug:(UsbPlug *)plug {
    [_plug autorelease];
    _plug = [plug retain];
}

- (UsbPlug *)_makePlug:(NSString *)identifier error:(NSError **)error {
    if (![_configuration _validateWithError:error]) return nil;
    return [[[UsbPlug alloc] initWithAttachment:_configuration.attachment identifier:identifier error:error] autorelease];
}

@end
