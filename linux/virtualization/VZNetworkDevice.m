#import "internal.h"
#import "a_mac.h"
#import "bridge.h"
#import "datagram_frames.h"
#import "vmnet_network.h"
#import <sys/socket.h>
#import <unistd.h>

/// What an attachment does for a card. Its network gets the identifier.
@protocol NetworkAttachment <NSObject>
- (BOOL)_describeTo:(QemuCommandLine *)commandLine
                 as:(NSString *)identifier
                for:(VZMACAddress *)card
              error:(NSError **)error;
@optional
- (BOOL)_validateWithError:(NSError **)error;
- (NSInteger)_transmissionUnit;
@end

enum { usual_transmission_unit = 1500, largest_transmission_unit = 65535 };

@implementation VZNetworkDeviceAttachment

NOT_MADE_BY_INIT(VZNetworkDeviceAttachment)

@end

@interface VZNATNetworkDeviceAttachment (Engine) <NetworkAttachment>
@end

@implementation VZNATNetworkDeviceAttachment

- (instancetype)init {
    return [super init];
}

/// A card that gets the address from QEMU's user network of this name.
static GuestCard *add_guest_card(QemuCommandLine *commandLine, NSString *identifier, VZMACAddress *card, struct in_addr address) {
    GuestCard *added = [[GuestCard alloc] initWithNetwork:identifier MAC:card.ethernetAddress address:address];
    [commandLine addGuestCard:added];
    return [added autorelease];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine
                 as:(NSString *)identifier
                for:(VZMACAddress *)card
              error:(NSError **)error {
    // Each of a machine's is on a network of its own; as on a Mac, their addresses differ.
    struct in_addr address = {htonl(0x0a00020f + (in_addr_t)[commandLine numberForKind:@"nat"])};
    add_guest_card(commandLine, identifier, card, address);
    [commandLine add:@"-netdev" value:@"user,id=%@,dhcpstart=%@", identifier, address_text(address)];
    return YES;
}

@end

@interface VZVmnetNetworkDeviceAttachment (Engine) <NetworkAttachment>
@end

@implementation VZVmnetNetworkDeviceAttachment

- (instancetype)initWithNetwork:(vmnet_network_ref)network {
    self = [super init];
    if (self) _network = (vmnet_network_ref)[(VmnetNetwork *)(id)network retain];
    return self;
}

- (void)dealloc {
    [(VmnetNetwork *)(id)_network release];
    [super dealloc];
}

- (vmnet_network_ref)network {
    return _network;
}

- (BOOL)_validateWithError:(NSError **)error {
    if (_network) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The network of a vmnet network is not set."));
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine
                 as:(NSString *)identifier
                for:(VZMACAddress *)card
              error:(NSError **)error {
    VmnetNetwork *network = (id)_network;
    struct in_addr address = [network addressForMAC:card.ethernetAddress];
    if (address.s_addr == INADDR_NONE) {
        return fail(error, virtualization_error(VZErrorNetworkError, @"The network has no address left."));
    }
    GuestCard *added = add_guest_card(commandLine, identifier, card, address);
    [commandLine add:@"-netdev" value:@"user,id=%@,%@", identifier, [network optionsForCard:added at:address]];
    return YES;
}

- (NSInteger)_transmissionUnit {
    return [(VmnetNetwork *)(id)_network transmissionUnit];
}

@end

@implementation VZBridgedNetworkInterface

NOT_MADE_BY_INIT(VZBridgedNetworkInterface)

@synthesize identifier = _identifier;

- (id)_initWithIdentifier:(NSString *)identifier {
    self = [super init];
    if (self) _identifier = [identifier copy];
    return self;
}

- (void)dealloc {
    [_identifier release];
    [super dealloc];
}

+ (NSArray *)networkInterfaces {
    NSMutableArray *interfaces = [NSMutableArray array];
    for (NSString *name in bridges()) {
        [interfaces addObject:[[[VZBridgedNetworkInterface alloc] _initWithIdentifier:name] autorelease]];
    }
    return interfaces;
}

- (NSString *)localizedDisplayName {
    return _identifier;
}

@end

@interface VZBridgedNetworkDeviceAttachment (Engine) <NetworkAttachment>
@end

@implementation VZBridgedNetworkDeviceAttachment

@synthesize interface = _interface;

- (instancetype)initWithInterface:(VZBridgedNetworkInterface *)interface {
    self = [super init];
    if (self) _interface = [interface retain];
    return self;
}

- (void)dealloc {
    [_interface release];
    [super dealloc];
}

- (BOOL)_validateWithError:(NSError **)error {
    NSString *reason = nil;
    if (!has_entitlement(@"com.apple.vm.networking")) {
        reason = @"Using VZBridgedNetworkDeviceAttachment in a process that lacks the “com.apple.vm.networking” entitlement.";
    } else if (!_interface) {
        reason = @"The interface of a bridged network is not set.";
    }
    return !reason || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", reason));
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine
                 as:(NSString *)identifier
                for:(VZMACAddress *)card
              error:(NSError **)error {
    int tap = plug_into_bridge(_interface.identifier, error);
    if (tap < 0) return NO;
    [commandLine add:@"-netdev" value:@"tap,id=%@,fd=%d", identifier, [commandLine passDescriptor:tap]];
    return YES;
}

@end

@interface VZFileHandleNetworkDeviceAttachment (Engine) <NetworkAttachment>
@end

@implementation VZFileHandleNetworkDeviceAttachment

@synthesize fileHandle = _fileHandle, maximumTransmissionUnit = _maximumTransmissionUnit;

static BOOL is_datagram_socket(NSFileHandle *handle) {
    int kind = 0;
    socklen_t length = sizeof kind;
    return handle && getsockopt([handle fileDescriptor], SOL_SOCKET, SO_TYPE, &kind, &length) == 0 && kind == SOCK_DGRAM;
}

- (instancetype)initWithFileHandle:(NSFileHandle *)fileHandle {
    self = [super init];
    if (!self) return nil;
    if (!is_datagram_socket(fileHandle)) {
        [NSException raise:NSInvalidArgumentException format:@"The file handle of a network device must be a datagram socket."];
    }
    _fileHandle = [fileHandle retain];
    _maximumTransmissionUnit = usual_transmission_unit;
    return self;
}

- (void)dealloc {
    [_fileHandle release];
    [super dealloc];
}

- (BOOL)_validateWithError:(NSError **)error {
    int socket = [_fileHandle fileDescriptor];
    struct sockaddr_storage peer;
    socklen_t peerLength = sizeof peer;
    NSString *reason = nil;
    if (getpeername(socket, (struct sockaddr *)&peer, &peerLength) != 0) {
        reason = @"The file handle of a network device must be a connected datagram socket.";
    } else if (_maximumTransmissionUnit < usual_transmission_unit || _maximumTransmissionUnit > largest_transmission_unit) {
        reason = [NSString stringWithFormat:@"The maximum transmission unit must be between %d and %d.", usual_transmission_unit,
                                            largest_transmission_unit];
    }
    return !reason || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", reason));
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine
                 as:(NSString *)identifier
                for:(VZMACAddress *)card
              error:(NSError **)error {
    int socket = dup([_fileHandle fileDescriptor]);
    drop_empty_datagrams(socket);
    [commandLine add:@"-netdev" value:@"dgram,id=%@,local.type=fd,local.str=%d", identifier, [commandLine passDescriptor:socket]];
    return YES;
}

- (NSInteger)_transmissionUnit {
    return _maximumTransmissionUnit;
}

@end

@implementation VZNetworkDeviceConfiguration

@synthesize MACAddress = _MACAddress, attachment = _attachment;

+ (instancetype)new {
    if (self == [VZNetworkDeviceConfiguration class]) refuse_to_make(self);
    return [super new];
}

- (instancetype)init {
    if ([self class] == [VZNetworkDeviceConfiguration class]) refuse_to_make([self class]);
    self = [super init];
    _MACAddress = [[VZMACAddress randomLocallyAdministeredAddress] retain];
    return self;
}

- (void)dealloc {
    [_MACAddress release];
    [_attachment release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZNetworkDeviceConfiguration *copy = [[[self class] allocWithZone:zone] init];
    copy.MACAddress = _MACAddress;
    copy.attachment = _attachment;
    return copy;
}

@end

@interface VZVirtioNetworkDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioNetworkDeviceConfiguration

- (instancetype)init {
    return [super init];
}

- (BOOL)_validateWithError:(NSError **)error {
    id<NetworkAttachment> attachment = (id)self.attachment;
    if (![attachment respondsToSelector:@selector(_describeTo:as:for:error:)]) {
        return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"The network device attachment is invalid."));
    }
    return ![attachment respondsToSelector:@selector(_validateWithError:)] || [attachment _validateWithError:error];
}

- (NSString *)_identityInSavedState {
    return self.MACAddress.string;
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *identifier = [commandLine identifierForKind:@"network"];
    NSString *network = [commandLine identifierForKind:@"net"];
    id<NetworkAttachment> attachment = (id)self.attachment;
    if (![attachment _describeTo:commandLine as:network for:self.MACAddress error:error]) return NO;
    NSString *options = @"";
    if ([attachment respondsToSelector:@selector(_transmissionUnit)]) {
        options = [NSString stringWithFormat:@",host_mtu=%ld", (long)[attachment _transmissionUnit]];
    }
    // Without an option ROM: the guest is not booted from the network, and loading it takes time.
    [commandLine addPCIDevice:@"virtio-net-pci,id=%@,netdev=%@,mac=%@,romfile=%@", identifier, network, self.MACAddress.string,
                              options];
    return YES;
}

@end

@implementation VZNetworkDevice

+ (instancetype)new {
    refuse_to_make(self);
    return nil;
}

- (instancetype)init {
    refuse_to_make([self class]);
    return nil;
}

- (id)_initWithMachine:(MachineLink *)machine
            identifier:(NSString *)identifier
            attachment:(VZNetworkDeviceAttachment *)attachment {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _identifier = [identifier copy];
    _attachment = [attachment retain];
    _network = [attachment retain];
    return self;
}

- (void)dealloc {
    [_machine release];
    [_identifier release];
    [_attachment release];
    [_network release];
    [super dealloc];
}

- (VZNetworkDeviceAttachment *)attachment {
    dispatch_assert_queue(_machine.queue);
    return _attachment;
}

/// QEMU's card stays with the network that it is made with.
- (BOOL)_isPluggedIn {
    if (_attachment == _network) return _attachment != nil;
    if ([_attachment class] != [_network class]) return NO;
    if ([_attachment isKindOfClass:[VZNATNetworkDeviceAttachment class]]) return YES;
    if ([_attachment isKindOfClass:[VZVmnetNetworkDeviceAttachment class]]) return [(id)_attachment network] == [(id)_network network];
    if ([_attachment isKindOfClass:[VZFileHandleNetworkDeviceAttachment class]]) return [(id)_attachment fileHandle] == [(id)_network fileHandle];
    if (![_attachment isKindOfClass:[VZBridgedNetworkDeviceAttachment class]]) return NO;
    VZBridgedNetworkInterface *one = [(id)_attachment interface], *other = [(id)_network interface];
    return [one.identifier isEqual:other.identifier];
}

- (NSDictionary *)_linkArguments {
    return @{@"name" : _identifier, @"up" : [NSNumber numberWithBool:[self _isPluggedIn]]};
}

- (BOOL)_disconnect {
    if (!_attachment) return NO;
    [self setAttachment:nil];
    return YES;
}

- (void)setAttachment:(VZNetworkDeviceAttachment *)attachment {
    dispatch_assert_queue(_machine.queue);
    [attachment retain];
    [_attachment release];
    _attachment = attachment;
    VZVirtualMachine *machine = [_machine copyMachine];
    [machine _execute:@"set_link" arguments:[self _linkArguments]];
    [machine release];
}

- (void)_addLinkTo:(QemuCommandLine *)commandLine {
    [commandLine addEarlyCommand:@"set_link" arguments:[self _linkArguments]];
}

@end
