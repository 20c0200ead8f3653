#import "efi_firmware.h"
#import "internal.h"
#import <unistd.h>

@implementation EfiFirmware

@synthesize code = _code, variables = _variables;

- (id)initWithCode:(NSString *)code variables:(NSString *)variables {
    self = [super init];
    if (!self) return nil;
    _code = [code copy];
    _variables = [variables copy];
    return self;
}

- (void)dealloc {
    [_code release];
    [_variables release];
    [super dealloc];
}

+ (EfiFirmware *)firmwareForArchitecture:(NSString *)architecture error:(NSError **)error {
    BOOL arm = [architecture isEqualToString:@"aarch64"];
    NSString *code = arm ? @"/usr/share/AAVMF/AAVMF_CODE.fd" : @"/usr/share/OVMF/OVMF_CODE_4M.fd";
    NSString *variables = arm ? @"/usr/share/AAVMF/AAVMF_VARS.fd" : @"/usr/share/OVMF/OVMF_VARS_4M.fd";
    for (NSString *path in @[code, variables]) {
        if (access([path fileSystemRepresentation], R_OK) == 0) continue;
        fail(error, virtualization_error(VZErrorInternal, @"The EFI firmware “%@” is not there; Debian's package %@ has it.", path,
                                         arm ? @"qemu-efi-aarch64" : @"ovmf"));
        return nil;
    }
    return [[[EfiFirmware alloc] initWithCode:code variables:variables] autorelease];
}

@end
