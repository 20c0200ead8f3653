// What the library's files share.
#import <Virtualization/Virtualization.h>
#import "machine_link.h"
#import "qemu_command_line.h"
#import "qemu_process.h"

/// An error as Virtualization makes them: a sentence that depends on the code, and a reason.
NSError *virtualization_error(VZErrorCode code, NSString *reason, ...) NS_FORMAT_FUNCTION(2, 3);

/// The same with what was behind it, which is told only there (NSUnderlyingError), as Apple does it.
NSError *virtualization_error_caused(NSError *cause, VZErrorCode code, NSString *reason);

/// An error of Foundation's for one of the C library's: with the number that it has on a Mac.
NSError *posix_error(int number);

/// What a machine's start fails with when its boot loader is at fault.
NSError *invalid_boot_loader(NSError *cause);

/// What a machine's start fails with when a disk is at fault.
NSError *invalid_attachment(NSError *cause);

/// Sets *error when the caller wants it. Returns NO.
BOOL fail(NSError **error, NSError *what);

/// Raises an exception, as Apple's initializers do, unless it is a file's URL.
void require_file_url(NSURL *url);

/// The body of +new and -init where Apple's header marks them unavailable.
void refuse_to_make(Class class);

/// +new and -init of a class that is there to be derived from, or to be made by another initializer. The derived
/// classes' own initializers go through here, hence the comparison.
#define NOT_MADE_BY_INIT(Name)                                                                                         \
    +(instancetype)new {                                                                                               \
        if (self == [Name class]) refuse_to_make(self);                                                                \
        return [super new];                                                                                            \
    }                                                                                                                  \
    -(instancetype)init {                                                                                              \
        if ([self class] == [Name class]) refuse_to_make([self class]);                                                \
        return [super init];                                                                                           \
    }

/// What a configuration's objects have to say to the engine.
@protocol MachinePart <NSObject>
@optional
- (BOOL)_validateWithError:(NSError **)error;
/// What of it cannot be saved, for people; nil when all can.
- (NSString *)_unsavablePart;
/// What a saved machine must have the same of it.
- (NSString *)_identityInSavedState;
@required
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error;
@end

@interface VZVirtualMachineConfiguration (Engine) <MachinePart>
- (id)_deepCopy;
/// The machine in words, equal for equal machines.
- (NSString *)_identityInSavedState;
@end

@interface VZStorageDeviceAttachment (Engine)
/// Adds it to what QEMU is started with, as a block device of this name.
- (BOOL)_addTo:(QemuCommandLine *)commandLine as:(NSString *)identifier error:(NSError **)error;
/// Of what is a file: a new open file description of it, locked for this machine, or -1.
- (int)_openAndLock:(NSError **)error;
/// Of the block device that QEMU makes of that.
- (NSDictionary *)_optionsFor:(int)descriptor;
- (BOOL)_isReadOnly;
@end

@interface VZStorageDeviceConfiguration (Engine)
- (BOOL)_validateWithError:(NSError **)error;
- (NSString *)_identityInSavedState;
@end

@interface VZVirtualMachine (Engine)
- (void)_qemuDidStart;
- (void)_qemuDidRestore;
/// The guest stands still until it is not, which the client does not see.
- (void)_consoleDidBecomeFull:(BOOL)full;
- (void)_networkDidBreak;
- (void)_guestWasReset;
- (void)_qemuDidStopWithError:(NSError *)error;
- (void)_execute:(NSString *)command arguments:(NSDictionary *)arguments;
/// QEMU while the guest runs or is paused, else nil.
- (QemuProcess *)_runningProcess;
- (void)_deviceWasDeleted:(NSString *)identifier;
/// A command of QEMU's monitor for people that says nothing when it is done. NO, and no reply, when no guest runs; else
/// as QemuProcess does it.
- (BOOL)_doInMonitor:(NSString *)command reply:(void (^)(NSString *problem))reply;
@end

@interface VZGraphicsDevice (Engine)
- (id)_initWithMachine:(MachineLink *)machine displays:(NSArray *)displays;
@end

@interface VZGraphicsDisplay (Engine)
- (id)_initWithMachine:(MachineLink *)machine sizeInPixels:(CGSize)size;
@end

@interface VZVirtioTraditionalMemoryBalloonDevice (Engine)
- (id)_initWithMachine:(MachineLink *)machine memorySize:(uint64_t)size;
- (void)_machineDidStart;
@end

@class UsbPlug;

@interface VZUSBMassStorageDevice (Engine)
/// Opens and locks its image.
- (UsbPlug *)_makePlug:(NSString *)identifier error:(NSError **)error;
/// Nil when it is in no machine, nor on its way in or out.
- (UsbPlug *)_plug;
- (void)_setPlug:(UsbPlug *)plug;
- (void)_setController:(VZUSBController *)controller;
@end

@interface VZUSBController (Engine)
- (id)_initWithMachine:(MachineLink *)machine configuration:(VZUSBControllerConfiguration *)configuration;
/// The controller, and the devices that it has from the start on. Before all else that may be on USB.
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error;
- (void)_machineDidStart;
- (void)_deviceWasDeleted:(NSString *)identifier;
- (void)_machineDidStop;
@end

@interface VZVirtioFileSystemDevice (Engine)
- (id)_initWithMachine:(MachineLink *)machine configuration:(VZVirtioFileSystemDeviceConfiguration *)configuration;
@end

@interface VZVirtioSocketDevice (Engine)
- (id)_initWithMachine:(MachineLink *)machine;
/// The device, with its other side, which is in this process and ends with QEMU.
- (BOOL)_describeTo:(QemuCommandLine *)commandLine error:(NSError **)error;
- (void)_guestWasReset;
- (void)_machineDidStop;
@end

@interface VZNetworkDevice (Engine)
- (id)_initWithMachine:(MachineLink *)machine
            identifier:(NSString *)identifier
            attachment:(VZNetworkDeviceAttachment *)attachment;
/// What a network that breaks does to it. NO when it has none.
- (BOOL)_disconnect;
/// Whether the cable is plugged in, for the guest to find at its start.
- (void)_addLinkTo:(QemuCommandLine *)commandLine;
@end
