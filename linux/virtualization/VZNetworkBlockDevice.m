#import "nbd_watch.h"

enum { default_port = 10809, default_timeout = 15, retries = 3, longest_timeout = 24 * 60 * 60 };

// The runtime knows only the protocols that classes adopt, and a client that makes its delegate's class at run time
// asks for this one by name.
@interface NbdDelegateProtocolAdopter : NSObject <VZNetworkBlockDeviceStorageDeviceAttachmentDelegate>
@end

@implementation NbdDelegateProtocolAdopter
@end

static NSString *unescaped(NSString *text) {
    NSString *plain = [text stringByReplacingPercentEscapesUsingEncoding:NSUTF8StringEncoding];
    return plain ? plain : text;
}

/// The socket= of a URL.
static NSString *socket_path(NSURL *url) {
    for (NSString *part in [[url query] componentsSeparatedByString:@"&"]) {
        if ([part hasPrefix:@"socket="]) return unescaped([part substringFromIndex:[@"socket=" length]]);
    }
    return nil;
}

static NSString *export_name(NSURL *url) {
    NSString *path = [url path];
    return [path hasPrefix:@"/"] ? [path substringFromIndex:1] : @"";
}

/// QEMU's word for where the server is.
static NSDictionary *server_of(NSURL *url) {
    NSString *path = socket_path(url);
    if (path) return @{@"type" : @"unix", @"path" : path};
    NSString *host = [[url host] stringByTrimmingCharactersInSet:[NSCharacterSet characterSetWithCharactersInString:@"[]"]];
    int port = [url port] ? [[url port] intValue] : default_port;
    return @{@"type" : @"inet", @"host" : host, @"port" : [NSString stringWithFormat:@"%d", port]};
}

/// What is wrong with a URL, or nil.
static NSString *problem_with(NSURL *url) {
    NSString *scheme = [[url scheme] lowercaseString], *path = socket_path(url);
    BOOL hasHost = [[url host] length] > 0;
    if ([scheme isEqualToString:@"nbd+unix"]) {
        if (hasHost) return @"has a host besides the socket";
        return [path length] ? nil : @"names no socket";
    }
    if (![scheme isEqualToString:@"nbd"]) return @"is not the URL of a network block device";
    if (path) return @"names a socket, which needs nbd+unix";
    return hasHost ? nil : @"names no host";
}

static BOOL validate_url(NSURL *url, NSError **error) {
    NSString *scheme = [[url scheme] lowercaseString];
    if ([scheme isEqualToString:@"nbds"] || [scheme isEqualToString:@"nbds+unix"]) {
        return fail(error, virtualization_error(VZErrorNotSupported, @"There is no TLS for network block devices."));
    }
    NSString *problem = problem_with(url);
    if (!problem) return YES;
    return fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"“%@” %@.", [url absoluteString], problem));
}

@implementation VZNetworkBlockDeviceStorageDeviceAttachment

NOT_MADE_BY_INIT(VZNetworkBlockDeviceStorageDeviceAttachment)

@synthesize URL = _URL, timeout = _timeout, forcedReadOnly = _forcedReadOnly, synchronizationMode = _synchronizationMode,
            delegate = _delegate;

- (instancetype)initWithURL:(NSURL *)URL
                    timeout:(NSTimeInterval)timeout
             forcedReadOnly:(BOOL)forcedReadOnly
        synchronizationMode:(VZDiskSynchronizationMode)synchronizationMode
                      error:(NSError **)error {
    self = [super init];
    if (!self) return nil;
    if (!validate_url(URL, error)) {
        [self release];
        return nil;
    }
    _URL = [URL copy];
    _timeout = timeout;
    _forcedReadOnly = forcedReadOnly;
    _synchronizationMode = synchronizationMode;
    return self;
}

- (instancetype)initWithURL:(NSURL *)URL error:(NSError **)error {
    return [self initWithURL:URL
                     timeout:default_timeout
              forcedReadOnly:NO
         synchronizationMode:VZDiskSynchronizationModeFull
                       error:error];
}

+ (BOOL)validateURL:(NSURL *)URL error:(NSError **)error {
    return validate_url(URL, error);
}

- (void)dealloc {
    [_URL release];
    [super dealloc];
}

- (BOOL)_isReadOnly {
    return _forcedReadOnly;
}

/// A server that only lets read makes a disk that can only be read, unless that was forced: auto-read-only.
- (NSDictionary *)_blockDevice:(NSString *)identifier {
    NSNumber *neverFlushed = [NSNumber numberWithBool:_synchronizationMode == VZDiskSynchronizationModeNone];
    int timeout = _timeout < 1 ? 1 : _timeout < longest_timeout ? (int)_timeout : longest_timeout;
    NSMutableDictionary *client = [NSMutableDictionary dictionaryWithDictionary:@{
        @"driver" : @"nbd",
        @"server" : server_of(_URL),
        @"reconnect-delay" : [NSNumber numberWithInt:timeout * retries],
    }];
    if ([export_name(_URL) length]) [client setObject:export_name(_URL) forKey:@"export"];
    return @{
        @"driver" : @"raw",
        @"node-name" : identifier,
        @"read-only" : [NSNumber numberWithBool:_forcedReadOnly],
        @"auto-read-only" : [NSNumber numberWithBool:!_forcedReadOnly],
        @"discard" : @"unmap",
        @"cache" : @{@"direct" : [NSNumber numberWithBool:NO], @"no-flush" : neverFlushed},
        @"file" : client,
    };
}

- (BOOL)_addTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error {
    NSData *json = [NSJSONSerialization dataWithJSONObject:[self _blockDevice:identifier] options:0 error:NULL];
    NSString *device = [[[NSString alloc] initWithData:json encoding:NSUTF8StringEncoding] autorelease];
    if (!commandLine.nbdWatch) {
        commandLine.nbdWatch = [[[NbdWatch alloc] init] autorelease];
        [NbdWatch addTraceTo:commandLine];
    }
    [commandLine.nbdWatch add:self export:export_name(_URL) node:identifier];
    [commandLine add:@"-blockdev" value:@"%@", device];
    // QEMU connects when it makes the device, and ends when it cannot.
    [commandLine explain:device
                      by:virtualization_error(VZErrorNetworkBlockDeviceNegotiationFailed,
                                              @"The connection or the negotiation with the server failed.")];
    // A disk that may be written has to be, for QEMU.
    [commandLine explain:@"Block node is read-only"
                      by:virtualization_error(VZErrorNetworkBlockDeviceNegotiationFailed, @"The server only lets the disk be read.")];
    return YES;
}

@end
