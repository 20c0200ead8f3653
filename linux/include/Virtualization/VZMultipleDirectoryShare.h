#import <Foundation/Foundation.h>
#import <Virtualization/VZDirectoryShare.h>

/// Folders by the names that they have in the guest. A machine that has one is refused on Linux; a tag for each folder
/// does the same.
@interface VZMultipleDirectoryShare : VZDirectoryShare {
  @private
    NSDictionary *_directories;
}
- (instancetype)init;
/// Raises an exception when a name is not valid.
- (instancetype)initWithDirectories:(NSDictionary *)directories;
@property(readonly, copy) NSDictionary *directories;
/// Names are not empty, have at most 255 bytes, no “/” and no NUL, and are neither “.” nor “..”.
+ (BOOL)validateName:(NSString *)name error:(NSError **)error;
/// A name that is valid, or nil.
+ (NSString *)canonicalizedNameFromName:(NSString *)name;
@end
