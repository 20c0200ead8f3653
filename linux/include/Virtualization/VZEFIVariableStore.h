#import <Foundation/Foundation.h>

typedef NS_OPTIONS(NSUInteger, VZEFIVariableStoreInitializationOptions) {
    VZEFIVariableStoreInitializationOptionAllowOverwrite = 1 << 0,
};

typedef struct __SecCertificate *SecCertificateRef;

/// A file with the variables of UEFI firmware. On Linux it belongs to one architecture.
@interface VZEFIVariableStore : NSObject {
  @private
    NSURL *_URL;
}
+ (instancetype)new;
- (instancetype)init;
/// Of a file that is there.
- (instancetype)initWithURL:(NSURL *)url;
/// Makes a file without variables. One that is there is an error unless it may be overwritten.
- (instancetype)initCreatingVariableStoreAtURL:(NSURL *)url
                                       options:(VZEFIVariableStoreInitializationOptions)options
                                         error:(NSError **)error;
@property(readonly) NSURL *URL;

// Not supported on Linux.
- (BOOL)enableSecureBootUsingDefaultPlatformKeyWithError:(NSError **)error;
- (BOOL)enableSecureBootWithPlatformKey:(SecCertificateRef)platformKey error:(NSError **)error;
- (BOOL)disableSecureBootWithError:(NSError **)error;
- (BOOL)resetSecureBootWithError:(NSError **)error;
- (BOOL)getSecureBootEnabled:(BOOL *)enabled error:(NSError **)error;
- (BOOL)enrollDefaultSecureBootSignaturesWithError:(NSError **)error;
- (BOOL)enrollSecureBootSignatures:(id)signatures error:(NSError **)error;
- (id)getEnrolledSecureBootSignaturesWithError:(NSError **)error;
@end
