#import "internal.h"
#import "file_server.h"

enum { tag_limit = 36 };

@implementation VZDirectorySharingDeviceConfiguration

NOT_MADE_BY_INIT(VZDirectorySharingDeviceConfiguration)

- (id)copyWithZone:(NSZone *)zone {
    return [[[self class] allocWithZone:zone] init];
}

@end

@interface VZVirtioFileSystemDeviceConfiguration (Engine) <MachinePart>
@end

@implementation VZVirtioFileSystemDeviceConfiguration

@synthesize tag = _tag, share = _share;

- (instancetype)initWithTag:(NSString *)tag {
    self = [super init];
    if (self) _tag = [tag copy];
    return self;
}

- (void)dealloc {
    [_tag release];
    [_share release];
    [super dealloc];
}

- (id)copyWithZone:(NSZone *)zone {
    VZVirtioFileSystemDeviceConfiguration *copy = [super copyWithZone:zone];
    copy.tag = _tag;
    copy.share = _share;
    return copy;
}

+ (NSString *)macOSGuestAutomountTag {
    return @"com.apple.virtio-fs.automount";
}

+ (BOOL)validateTag:(NSString *)tag error:(NSError **)error {
    NSString *problem = nil;
    if ([tag length] == 0) {
        problem = @"The tag of a shared directory must not be empty.";
    } else if ([tag lengthOfBytesUsingEncoding:NSUTF8StringEncoding] >= tag_limit) {
        problem = [NSString stringWithFormat:@"The tag “%@” must have fewer than %d bytes in UTF-8.", tag, tag_limit];
    }
    return !problem || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", problem));
}

- (BOOL)_validateWithError:(NSError **)error {
    if (![VZVirtioFileSystemDeviceConfiguration validateTag:_tag error:error]) return NO;
    if (![_share isKindOfClass:[VZSingleDirectoryShare class]] && ![_share isKindOfClass:[VZMultipleDirectoryShare class]]) {
        return fail(error, virtualization_error(VZErrorNotSupported,
                                                @"The device “%@” must have a VZSingleDirectoryShare or a "
                                                @"VZMultipleDirectoryShare on Linux.", _tag));
    }
    return check_folders(_share, error);
}

- (NSString *)_unsavablePart {
    return @"directory sharing devices"; // as on a Mac with macOS 14; QEMU cannot migrate them either
}

- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error {
    int connection;
    ChildProcess *server = file_server(_share, _tag, &connection, error);
    if (!server) return NO;
    [commandLine addHelper:server];
    [commandLine shareMemory];
    NSString *identifier = [commandLine identifierForKind:@"share"];
    [commandLine add:@"-chardev" value:@"socket,id=%@,fd=%d", identifier, [commandLine passDescriptor:connection]];
    [commandLine addPCIDevice:@"vhost-user-fs-pci,chardev=%@,tag=%@", identifier, qemu_quoted(_tag)];
    return YES;
}

@end

@implementation VZDirectorySharingDevice

NOT_MADE_BY_INIT(VZDirectorySharingDevice)

@end

@implementation VZVirtioFileSystemDevice

- (id)_initWithMachine:(MachineLink *)machine configuration:(VZVirtioFileSystemDeviceConfiguration *)configuration {
    self = [super init];
    if (!self) return nil;
    _machine = [machine retain];
    _configuration = [configuration retain];
    return self;
}

- (void)dealloc {
    [_machine release];
    [_configuration release];
    [super dealloc];
}

- (NSString *)tag {
    dispatch_assert_queue(_machine.queue);
    return _configuration.tag;
}

- (VZDirectoryShare *)share {
    dispatch_assert_queue(_machine.queue);
    return _configuration.share;
}

// The configuration is the machine's own copy.
- (void)setShare:(VZDirectoryShare *)share {
    dispatch_assert_queue(_machine.queue);
    _configuration.share = share;
}

@end
