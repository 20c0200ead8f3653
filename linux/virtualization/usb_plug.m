#import "usb_plug.h"
#import "files.h"
#import "internal.h"
#import <unistd.h>

@implementation UsbPlug

- (id)initWithAttachment:(VZStorageDeviceAttachment *)attachment identifier:(NSString *)identifier error:(NSError **)error {
    static int last_set = 1 << 16; // those of the command line have the numbers of its descriptors
    self = [super init];
    if (!self) return nil;
    _identifier = [identifier copy];
    _descriptor = [attachment _openAndLock:error];
    if (_descriptor < 0) {
        [self release];
        return nil;
    }
    _set = __atomic_add_fetch(&last_set, 1, __ATOMIC_RELAXED);
    _options = [[attachment _optionsFor:_descriptor] copy];
    return self;
}

- (void)dealloc {
    if (_descriptor >= 0) {
        unlock_file(_descriptor); // QEMU keeps its own to its end when it was paused
        close(_descriptor);
    }
    if (_deletion) Block_release(_deletion);
    [_identifier release];
    [_options release];
    [super dealloc];
}

@synthesize identifier = _identifier;

- (void)describeTo:(QemuCommandLine *)commandLine bus:(NSString *)bus {
    _set = add_file(commandLine, _identifier, dup(_descriptor), _options, invalid_attachment(nil));
    [commandLine add:@"-device" value:@"usb-storage,id=%@,bus=%@,drive=%@,werror=report", _identifier, bus, _identifier];
}

/// Takes the image from QEMU again.
- (void)_removeFrom:(QemuProcess *)process reply:(void (^)(NSString *problem))reply {
    __block QemuProcess *qemu = process; // without a reference: it has the replies
    [process execute:@"blockdev-del"
           arguments:@{@"node-name" : _identifier}
               reply:^(NSString *problem) {
                 if (problem) return reply(problem);
                 [qemu execute:@"remove-fd" arguments:@{@"fdset-id" : @(_set)} reply:reply];
               }];
}

- (void)plugInto:(NSString *)bus of:(QemuProcess *)process reply:(void (^)(NSString *problem))reply {
    __block QemuProcess *qemu = process;
    NSDictionary *device = @{
        @"driver" : @"usb-storage",
        @"id" : _identifier,
        @"bus" : bus,
        @"drive" : _identifier,
        @"werror" : @"report",
    };
    [process addDescriptor:_descriptor toSet:_set];
    [process execute:@"blockdev-add"
           arguments:block_device(_identifier, _set, _options)
               reply:^(NSString *problem) {
                 if (problem) return [qemu execute:@"remove-fd" arguments:@{@"fdset-id" : @(_set)} reply:^(NSString *ignored) {
                   reply(problem);
                 }];
                 [qemu execute:@"device_add"
                     arguments:device
                         reply:^(NSString *problem) {
                           if (!problem) return reply(nil);
                           [self _removeFrom:qemu
                                       reply:^(NSString *ignored) {
                                         reply(problem);
                                       }];
                         }];
               }];
}

- (void)_settleDeletion:(NSString *)problem {
    void (^deletion)(NSString *) = _deletion;
    if (!deletion) return;
    _deletion = nil;
    deletion(problem);
    Block_release(deletion);
}

- (void)pullFrom:(QemuProcess *)process reply:(void (^)(NSString *problem))reply {
    __block QemuProcess *qemu = process;
    _deletion = Block_copy(^(NSString *problem) {
      if (problem) return reply(problem);
      [self _removeFrom:qemu reply:reply];
    });
    [process execute:@"device_del"
           arguments:@{@"id" : _identifier}
               reply:^(NSString *problem) {
                 if (problem) [self _settleDeletion:problem];
               }];
}

- (void)wasDeleted {
    [self _settleDeletion:nil];
}

- (void)wasLost {
    [self _settleDeletion:@"The virtual machine stopped meanwhile."];
}

@end
