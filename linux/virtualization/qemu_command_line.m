#import "qemu_command_line.h"
#import "console_pump.h"
#import "nbd_watch.h"

NSString *qemu_quoted(NSString *value) {
    return [value stringByReplacingOccurrencesOfString:@"," withString:@",,"];
}

@implementation QemuCommandLine

- (id)initWithArchitecture:(NSString *)architecture {
    self = [super init];
    if (!self) return nil;
    _architecture = [architecture copy];
    _earlyCommands = [[NSMutableArray alloc] init];
    _identifiers = [[NSCountedSet alloc] init];
    _helpers = [[NSMutableArray alloc] init];
    _consolePump = [[ConsolePump alloc] init];
    _explanations = [[NSMutableArray alloc] init];
    _guestCards = [[NSMutableArray alloc] init];
    return self;
}

- (void)dealloc {
    [_architecture release];
    [_earlyCommands release];
    [_identifiers release];
    [_helpers release];
    [_consolePump release];
    [_nbdWatch release];
    [_explanations release];
    [_guestCards release];
    [super dealloc];
}

@synthesize architecture = _architecture, earlyCommands = _earlyCommands, helpers = _helpers, consolePump = _consolePump,
            sharesMemory = _sharesMemory, guestCards = _guestCards, nbdWatch = _nbdWatch;

- (NSUInteger)countOfKind:(NSString *)kind {
    return [_identifiers countForObject:kind];
}

- (NSUInteger)numberForKind:(NSString *)kind {
    NSUInteger number = [self countOfKind:kind];
    [_identifiers addObject:kind];
    return number;
}

- (NSString *)identifierForKind:(NSString *)kind {
    return [NSString stringWithFormat:@"%@%lu", kind, (unsigned long)[self numberForKind:kind]];
}

// Eight share a slot, for a guest may have more devices than there are slots.
- (void)addPCIDevice:(NSString *)format, ... {
    va_list arguments;
    va_start(arguments, format);
    NSString *device = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
    va_end(arguments);
    int slot = 1 + _pciDevices / 8, function = _pciDevices % 8;
    _pciDevices++;
    [self add:@"-device" value:@"%@,addr=%x.%x,multifunction=on", device, slot, function];
}

- (void)addEarlyCommand:(NSString *)command arguments:(NSDictionary *)arguments {
    [_earlyCommands addObject:@{@"execute" : command, @"arguments" : arguments}];
}

- (void)addGuestCard:(GuestCard *)card {
    [_guestCards addObject:card];
}

- (void)addHelper:(ChildProcess *)helper {
    [_helpers addObject:helper];
}

- (void)shareMemory {
    _sharesMemory = YES;
}

- (void)explain:(NSString *)words by:(NSError *)error {
    [_explanations addObject:@[ words, error ]];
}

- (NSError *)explanationOf:(NSString *)text {
    for (NSArray *explanation in _explanations) {
        if ([text rangeOfString:[explanation objectAtIndex:0]].length > 0) return [explanation objectAtIndex:1];
    }
    return nil;
}

@end
