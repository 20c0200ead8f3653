#import "qemu_command_line.h"
#import <fcntl.h>
#import <unistd.h>

// Above every number in QEMU, so that moving one descriptor there never overwrites the next.
enum { lowest_source = 200, no_flags = -1 };

NSString *qemu_quoted(NSString *value) {
    return [value stringByReplacingOccurrencesOfString:@"," withString:@",,"];
}

@implementation QemuCommandLine

- (id)initWithArchitecture:(NSString *)architecture {
    self = [super init];
    if (!self) return nil;
    _architecture = [architecture copy];
    _arguments = [[NSMutableArray alloc] init];
    _earlyCommands = [[NSMutableArray alloc] init];
    _identifiers = [[NSCountedSet alloc] init];
    for (int i = 0; i < 3; i++) [self passDescriptor:open("/dev/null", O_RDWR | O_CLOEXEC)];
    return self;
}

- (void)dealloc {
    [self closeDescriptors];
    [_architecture release];
    [_arguments release];
    [_earlyCommands release];
    [_identifiers release];
    [super dealloc];
}

@synthesize architecture = _architecture, arguments = _arguments, earlyCommands = _earlyCommands;

- (void)add:(NSString *)option {
    [_arguments addObject:option];
}

- (void)add:(NSString *)option value:(NSString *)format, ... {
    va_list arguments;
    va_start(arguments, format);
    NSString *value = [[[NSString alloc] initWithFormat:format arguments:arguments] autorelease];
    va_end(arguments);
    [_arguments addObject:option];
    [_arguments addObject:value];
}

- (NSString *)identifierForKind:(NSString *)kind {
    NSString *identifier = [NSString stringWithFormat:@"%@%lu", kind, (unsigned long)[_identifiers countForObject:kind]];
    [_identifiers addObject:kind];
    return identifier;
}

- (void)addEarlyCommand:(NSString *)command arguments:(NSDictionary *)arguments {
    [_earlyCommands addObject:@{@"execute" : command, @"arguments" : arguments}];
}

- (void)setDescriptor:(int)descriptor flags:(int)flags at:(int)number {
    _descriptors[number] = fcntl(descriptor, F_DUPFD_CLOEXEC, lowest_source);
    _flags[number] = flags;
    close(descriptor);
}

- (int)passDescriptor:(int)descriptor flags:(int)flags {
    int number = _count++;
    _descriptors = realloc(_descriptors, sizeof(int) * (size_t)_count);
    _flags = realloc(_flags, sizeof(int) * (size_t)_count);
    [self setDescriptor:descriptor flags:flags at:number];
    return number;
}

- (int)passDescriptor:(int)descriptor {
    return [self passDescriptor:descriptor flags:no_flags];
}

- (BOOL)passStandardInput:(int)input output:(int)output flags:(int)flags {
    if (_standardStreamsTaken) return NO;
    _standardStreamsTaken = YES;
    close(_descriptors[0]);
    close(_descriptors[1]);
    [self setDescriptor:input flags:no_flags at:0];
    [self setDescriptor:output flags:flags at:1];
    return YES;
}

- (void)passStandardError:(int)descriptor {
    close(_descriptors[2]);
    [self setDescriptor:descriptor flags:no_flags at:2];
}

- (const int *)descriptors {
    return _descriptors;
}

- (int)descriptorCount {
    return _count;
}

- (void)childHasDescriptors {
    for (int i = 0; i < _count; i++) {
        if (_flags[i] != no_flags) continue;
        close(_descriptors[i]);
        _descriptors[i] = -1;
    }
}

- (void)settleDescriptors {
    for (int i = 0; i < _count; i++) {
        if (_flags[i] != no_flags) fcntl(_descriptors[i], F_SETFL, _flags[i]);
    }
    [self closeDescriptors];
}

- (void)closeDescriptors {
    for (int i = 0; i < _count; i++) {
        if (_descriptors[i] >= 0) close(_descriptors[i]);
    }
    free(_descriptors);
    free(_flags);
    _descriptors = _flags = NULL;
    _count = 0;
}

@end
