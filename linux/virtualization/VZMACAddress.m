#import "internal.h"
#import "fill_randomly.h"

@implementation VZMACAddress

+ (instancetype)new {
    refuse_to_make(self);
    return nil;
}

- (instancetype)init {
    refuse_to_make([self class]);
    return nil;
}

- (instancetype)initWithEthernetAddress:(struct ether_addr)ethernetAddress {
    self = [super init];
    if (self) _ethernetAddress = ethernetAddress;
    return self;
}

static int digit(char character) {
    if (character >= '0' && character <= '9') return character - '0';
    character |= 0x20;
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

static BOOL parse(const char *text, struct ether_addr *address) {
    if (!text || strlen(text) != 17) return NO;
    for (int i = 0; i < 6; i++, text += 3) {
        int high = digit(text[0]), low = digit(text[1]);
        if (high < 0 || low < 0 || text[2] != (i < 5 ? ':' : 0)) return NO;
        address->ether_addr_octet[i] = (uint8_t)(high << 4 | low);
    }
    return YES;
}

- (instancetype)initWithString:(NSString *)string {
    struct ether_addr address;
    if (parse([string UTF8String], &address)) return [self initWithEthernetAddress:address];
    [self release];
    return nil;
}

+ (instancetype)randomLocallyAdministeredAddress {
    struct ether_addr address;
    fill_randomly(&address, sizeof address);
    address.ether_addr_octet[0] = (uint8_t)((address.ether_addr_octet[0] & ~1) | 2);
    return [[[self alloc] initWithEthernetAddress:address] autorelease];
}

- (id)copyWithZone:(NSZone *)zone {
    return [self retain];
}

- (struct ether_addr)ethernetAddress {
    return _ethernetAddress;
}

- (NSString *)string {
    const uint8_t *octets = _ethernetAddress.ether_addr_octet;
    return [NSString stringWithFormat:@"%02x:%02x:%02x:%02x:%02x:%02x", octets[0], octets[1], octets[2], octets[3],
                                      octets[4], octets[5]];
}

- (NSString *)description {
    return [self string];
}

- (BOOL)isBroadcastAddress {
    return memcmp(&_ethernetAddress, "\xff\xff\xff\xff\xff\xff", 6) == 0;
}

- (BOOL)isMulticastAddress {
    return (_ethernetAddress.ether_addr_octet[0] & 1) != 0;
}

- (BOOL)isUnicastAddress {
    return ![self isMulticastAddress];
}

- (BOOL)isLocallyAdministeredAddress {
    return (_ethernetAddress.ether_addr_octet[0] & 2) != 0;
}

- (BOOL)isUniversallyAdministeredAddress {
    return ![self isLocallyAdministeredAddress];
}

- (BOOL)isEqual:(id)other {
    if (![other isKindOfClass:[VZMACAddress class]]) return NO;
    return memcmp(&_ethernetAddress, &((VZMACAddress *)other)->_ethernetAddress, 6) == 0;
}

- (NSUInteger)hash {
    NSUInteger hash = 0;
    memcpy(&hash, &_ethernetAddress, 6);
    return hash;
}

@end
