#import "internal.h"

@implementation VZNetworkDeviceAttachment

NOT_MADE_BY_INIT(VZNetworkDeviceAttachment)

@end

@interface VZNATNetworkDeviceAttachment (Engine) <MachinePart>
@end

@implementation VZNATNetworkDeviceAttachment

- (instancetype)init {
    return [super init];
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    [commandLine add:@"-netdev" value:@"user,id=%@", [commandLine identifierForKind:@"net"]];
    return YES;
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

// A card without an attachment is one whose cable is unplugged: it can be given one later.
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    NSString *identifier = [commandLine identifierForKind:@"network"];
    VZNetworkDeviceAttachment *attachment = self.attachment;
    if (!attachment) attachment = [[[VZNATNetworkDeviceAttachment alloc] init] autorelease];
    if (![(id<MachinePart>)attachment _describeTo:commandLine error:error]) return NO;
    // Without an option ROM: the guest is not booted from the network, and loading it takes time.
    [commandLine add:@"-device"
               value:@"virtio-net-pci,id=%@,netdev=net%@,mac=%@,romfile=", identifier,
                     [identifier substringFromIndex:[@"network" length]], self.MACAddress.string];
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
    return self;
}

- (void)dealloc {
    [_machine release];
    [_identifier release];
    [_attachment release];
    [super dealloc];
}

- (VZNetworkDeviceAttachment *)attachment {
    dispatch_assert_queue(_machine.queue);
    return _attachment;
}

- (NSDictionary *)_linkArguments {
    return @{@"name" : _identifier, @"up" : [NSNumber numberWithBool:_attachment != nil]};
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
