#import <Foundation/Foundation.h>

/// What QEMU is to be started with: arguments, descriptors, and commands that must be done before the guest runs.
@interface QemuCommandLine : NSObject {
    NSString *_architecture;
    NSMutableArray *_arguments;
    NSMutableArray *_earlyCommands;
    NSCountedSet *_identifiers;
    int *_descriptors;
    int *_flags;
    int _count;
    BOOL _standardStreamsTaken;
}
/// @param architecture As in the names of QEMU's programs.
- (id)initWithArchitecture:(NSString *)architecture;

@property(readonly) NSString *architecture;
@property(readonly) NSArray *arguments;
@property(readonly) NSArray *earlyCommands;

- (void)add:(NSString *)option;
- (void)add:(NSString *)option value:(NSString *)format, ... NS_FORMAT_FUNCTION(2, 3);
/// "serial0", then "serial1" ...
- (NSString *)identifierForKind:(NSString *)kind;
- (void)addEarlyCommand:(NSString *)command arguments:(NSDictionary *)arguments;

/// Hands a descriptor over to the command line, which closes it. Returns its number in QEMU.
- (int)passDescriptor:(int)descriptor;
/// The same; and once QEMU has opened its devices the description gets these flags again, whatever QEMU made of them.
- (int)passDescriptor:(int)descriptor flags:(int)flags;
/// QEMU's standard input and output: for one device only. NO when they are taken.
- (BOOL)passStandardInput:(int)input output:(int)output flags:(int)flags;
/// QEMU's standard error.
- (void)passStandardError:(int)descriptor;

/// By number in QEMU; each at least descriptorCount.
- (const int *)descriptors;
- (int)descriptorCount;
/// QEMU has been started and has its copies.
- (void)childHasDescriptors;
/// QEMU has opened its devices.
- (void)settleDescriptors;
- (void)closeDescriptors;
@end

/// A value within an option that is a list: commas doubled.
NSString *qemu_quoted(NSString *value);
