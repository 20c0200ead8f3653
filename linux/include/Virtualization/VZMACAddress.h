#import <Foundation/Foundation.h>
#import <net/ethernet.h>

@interface VZMACAddress : NSObject <NSCopying> {
  @private
    struct ether_addr _ethernetAddress;
}
+ (instancetype)new;
- (instancetype)init;
- (instancetype)initWithEthernetAddress:(struct ether_addr)ethernetAddress;
/// Six bytes in hexadecimal, two digits each, with colons between them; nil for anything else.
- (instancetype)initWithString:(NSString *)string;
+ (instancetype)randomLocallyAdministeredAddress;
@property(readonly) struct ether_addr ethernetAddress;
@property(readonly, copy) NSString *string;
@property(readonly) BOOL isBroadcastAddress;
@property(readonly) BOOL isMulticastAddress;
@property(readonly) BOOL isUnicastAddress;
@property(readonly) BOOL isLocallyAdministeredAddress;
@property(readonly) BOOL isUniversallyAdministeredAddress;
@end
