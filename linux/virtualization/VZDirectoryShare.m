#import "internal.h"
#import <limits.h>

@implementation VZDirectoryShare

NOT_MADE_BY_INIT(VZDirectoryShare)

@end

@implementation VZSharedDirectory

NOT_MADE_BY_INIT(VZSharedDirectory)

@synthesize URL = _URL, readOnly = _readOnly;

- (instancetype)initWithURL:(NSURL *)url readOnly:(BOOL)readOnly {
    require_file_url(url);
    self = [super init];
    if (!self) return nil;
    _URL = [url copy];
    _readOnly = readOnly;
    return self;
}

- (void)dealloc {
    [_URL release];
    [super dealloc];
}

@end

@implementation VZSingleDirectoryShare

@synthesize directory = _directory;

- (instancetype)initWithDirectory:(VZSharedDirectory *)directory {
    self = [super init];
    if (self) _directory = [directory retain];
    return self;
}

- (void)dealloc {
    [_directory release];
    [super dealloc];
}

@end

@implementation VZMultipleDirectoryShare

@synthesize directories = _directories;

- (instancetype)init {
    return [self initWithDirectories:@{}];
}

- (instancetype)initWithDirectories:(NSDictionary *)directories {
    for (NSString *name in directories) {
        NSError *error = nil;
        if ([VZMultipleDirectoryShare validateName:name error:&error]) continue;
        [self release];
        [NSException raise:NSInvalidArgumentException format:@"%@", [error localizedFailureReason]];
    }
    self = [super init];
    if (self) _directories = [directories copy];
    return self;
}

- (void)dealloc {
    [_directories release];
    [super dealloc];
}

static NSCharacterSet *characters_that_no_name_has(void) {
    return [NSCharacterSet characterSetWithCharactersInString:[NSString stringWithFormat:@"/%C", (unichar)0]];
}

+ (BOOL)validateName:(NSString *)name error:(NSError **)error {
    NSString *reason = nil;
    if ([name length] == 0) {
        reason = @"The name of a shared directory must not be empty.";
    } else if ([name isEqualToString:@"."] || [name isEqualToString:@".."]) {
        reason = [NSString stringWithFormat:@"The name “%@” of a shared directory is reserved.", name];
    } else if ([name rangeOfCharacterFromSet:characters_that_no_name_has()].length > 0) {
        reason = [NSString stringWithFormat:@"The name “%@” of a shared directory has a character that no file's name has.", name];
    } else if ([name lengthOfBytesUsingEncoding:NSUTF8StringEncoding] > NAME_MAX) {
        reason = [NSString stringWithFormat:@"The name “%@” of a shared directory has more than %d bytes.", name, NAME_MAX];
    }
    return !reason || fail(error, virtualization_error(VZErrorInvalidVirtualMachineConfiguration, @"%@", reason));
}

+ (NSString *)canonicalizedNameFromName:(NSString *)name {
    NSArray *parts = [name componentsSeparatedByCharactersInSet:characters_that_no_name_has()];
    NSString *canonical = [parts componentsJoinedByString:@"_"];
    while ([canonical lengthOfBytesUsingEncoding:NSUTF8StringEncoding] > NAME_MAX) {
        NSRange last = [canonical rangeOfComposedCharacterSequenceAtIndex:[canonical length] - 1];
        canonical = [canonical substringToIndex:last.location];
    }
    return [self validateName:canonical error:NULL] ? canonical : nil;
}

@end

@implementation VZLinuxRosettaDirectoryShare

@synthesize options = _options;

static NSError *no_rosetta(void) {
    return virtualization_error(VZErrorNotSupported, @"There is no Rosetta on Linux.");
}

- (instancetype)initWithError:(NSError **)error {
    fail(error, no_rosetta());
    [self release];
    return nil;
}

- (void)dealloc {
    [_options release];
    [super dealloc];
}

+ (void)installRosettaWithCompletionHandler:(void (^)(NSError *))completionHandler {
    if (!completionHandler) return;
    void (^handler)(NSError *) = Block_copy(completionHandler);
    dispatch_queue_t queue = dispatch_queue_create("rosetta", DISPATCH_QUEUE_SERIAL);
    dispatch_async(queue, ^{
      handler(no_rosetta());
      Block_release(handler);
    });
    dispatch_release(queue);
}

+ (VZLinuxRosettaAvailability)availability {
    return VZLinuxRosettaAvailabilityNotSupported;
}

@end
