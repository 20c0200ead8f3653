#import "child_process.h"

@class ConsolePump, GuestCard, NbdWatch;

/// What QEMU is to be started with, the helpers that it needs, and commands that must be done before the guest runs.
@interface QemuCommandLine : CommandLine {
    ConsolePump *_consolePump;
    NbdWatch *_nbdWatch;
    NSString *_architecture;
    NSMutableArray *_earlyCommands;
    NSCountedSet *_identifiers;
    NSMutableArray *_helpers, *_explanations, *_guestCards;
    BOOL _sharesMemory;
    int _pciDevices;
}
/// @param architecture As in the names of QEMU's programs.
- (id)initWithArchitecture:(NSString *)architecture;

@property(readonly) NSString *architecture;
@property(readonly) NSArray *earlyCommands;
@property(readonly) NSArray *helpers;

/// How many there are of a kind.
- (NSUInteger)countOfKind:(NSString *)kind;
/// 0, then 1 ...
- (NSUInteger)numberForKind:(NSString *)kind;
/// "serial0", then "serial1" ...
- (NSString *)identifierForKind:(NSString *)kind;
/// A device on the PCI bus. The guest finds them in the order in which they are added.
- (void)addPCIDevice:(NSString *)format, ... NS_FORMAT_FUNCTION(1, 2);
- (void)addEarlyCommand:(NSString *)command arguments:(NSDictionary *)arguments;
/// A card whose address is known.
- (void)addGuestCard:(GuestCard *)card;
@property(readonly) NSArray *guestCards;
/// A program that is started before QEMU and ended after it.
- (void)addHelper:(ChildProcess *)helper;
/// What carries the consoles' bytes while QEMU runs.
@property(readonly) ConsolePump *consolePump;
/// What hears of the servers of disks. Nil while there are none.
@property(retain) NbdWatch *nbdWatch;
/// A helper reads and writes the guest's memory.
- (void)shareMemory;
@property(readonly) BOOL sharesMemory;

/// When QEMU ends with these words among its complaints, this is the error. Those that come first go first.
- (void)explain:(NSString *)words by:(NSError *)error;
- (NSError *)explanationOf:(NSString *)complaints;
@end

/// A value within an option that is a list: commas doubled.
NSString *qemu_quoted(NSString *value);
