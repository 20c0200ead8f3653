#import "command_line.h"
#import <errno.h>
#import <fcntl.h>
#import <unistd.h>

enum { no_flags = -1 };

@implementation CommandLine

- (id)init {
    self = [super init];
    if (!self) return nil;
    _arguments = [[NSMutableArray alloc] init];
    for (int i = 0; i < 3; i++) [self passDescriptor:open("/dev/null", O_RDWR | O_CLOEXEC)];
    return self;
}

- (void)dealloc {
    [self closeDescriptors];
    [_arguments release];
    [super dealloc];
}

@synthesize arguments = _arguments;

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

- (void)lacksDescriptor {
    if (!_failure) _failure = errno;
}

- (void)setDescriptor:(int)descriptor flags:(int)flags at:(int)number {
    if (descriptor < 0) [self lacksDescriptor];
    _descriptors[number] = descriptor;
    _flags[number] = flags;
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

- (int)failure {
    return _failure;
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
