#import "a_mac.h"
#import "qemu_program.h"
#import <fcntl.h>

BOOL has_entitlement(NSString *name) {
    const char *value = getenv("VIRTUALIZATION_ENTITLEMENTS"); // which may be empty: none
    if (!value) return YES;
    return [[[NSString stringWithUTF8String:value] componentsSeparatedByString:@","] containsObject:name];
}

BOOL hardware_can_virtualize(void) {
    return ![environment("VIRTUALIZATION_HARDWARE") isEqualToString:@"none"];
}

BOOL guests_can_have_guests(void) {
    return ![environment("VIRTUALIZATION_HARDWARE") isEqualToString:@"no-nesting"];
}

BOOL guests_can_be_requested_to_stop(void) {
    return ![environment("VIRTUALIZATION_REQUEST_STOP") isEqualToString:@"no"];
}

BOOL requests_to_stop_fail(void) {
    return [environment("VIRTUALIZATION_REQUEST_STOP") isEqualToString:@"fails"];
}

BOOL port_rules_are_lost(void) {
    return [environment("VIRTUALIZATION_PORT_RULES") isEqualToString:@"lost"];
}

int network_breaker(void) {
    NSString *path = environment("VIRTUALIZATION_BREAK_NETWORK");
    // To write as well, so that it has no end when a writer closes it.
    return path ? open([path fileSystemRepresentation], O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
}

void take_descriptor(int descriptor) {
    if (descriptor < 0 || !environment("VIRTUALIZATION_NONBLOCKING")) return;
    fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}
